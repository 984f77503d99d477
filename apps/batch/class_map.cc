#include "apps/batch/class_map.h"

#include <algorithm>

#include "apps/common/picture_writer.h"

namespace intsam::internal {

ClassPainter::ClassPainter(LabelMap map) : map_(std::move(map)), masks_(map_.size), votes_(size_t{UINT16_MAX} + 1) {}

Status ClassPainter::Add(const std::vector<uint8_t>& mask) {
  if (classes_.size() == LabelPainter::kMaxMasks)
    return Error(Code::kResource, "more than %zu masks for a class map", LabelPainter::kMaxMasks);
  uint64_t area = 0;
  uint16_t best = 0;
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) continue;
    ++area;
    const uint16_t label = map_.labels[i];
    const uint32_t votes = ++votes_[label], most = votes_[best];
    if (votes > most || (votes == most && label < best)) best = label;
  }
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0) votes_[map_.labels[i]] = 0;
  }
  if (area == 0) return Status();
  classes_.push_back(best);
  masks_.Add(mask, area);
  return Status();
}

std::vector<uint16_t> ClassPainter::Painted() const {
  std::vector<uint16_t> painted = map_.labels;
  const std::vector<uint16_t>& masks = masks_.labels();
  for (size_t i = 0; i < painted.size(); ++i) {
    if (masks[i] != 0) painted[i] = classes_[masks[i] - 1u];
  }
  return painted;
}

Status ClassPainter::Write(const std::string& path) const {
  const std::vector<uint16_t> painted = Painted();
  if (*std::max_element(painted.begin(), painted.end()) > UINT8_MAX)
    return WriteGray16Png(path, painted.data(), map_.size);
  std::vector<uint8_t> row(map_.size.width);
  return WritePng(path, {map_.size, 1}, [&](uint32_t y) {
    const uint16_t* from = &painted[size_t{y} * map_.size.width];
    std::transform(from, from + row.size(), row.begin(), [](uint16_t label) { return static_cast<uint8_t>(label); });
    return row.data();
  });
}

}  // namespace intsam::internal
