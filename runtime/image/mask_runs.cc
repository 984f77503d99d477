#include "runtime/image/mask_runs.h"

#include <algorithm>
#include <cstring>

namespace intsam::internal {

void DrawBytes(std::span<const PixelRun> row, uint32_t width, uint8_t* out) {
  uint32_t drawn = 0;
  for (const PixelRun& run : row) {
    std::memset(out + drawn, 0, run.begin - drawn);
    std::memset(out + run.begin, 1, run.end - run.begin);
    drawn = run.end;
  }
  std::memset(out + drawn, 0, width - drawn);
}

void DrawBits(std::span<const PixelRun> row, uint32_t width, uint8_t* out) {
  std::memset(out, 0, (width + 7) / 8);
  for (const PixelRun& run : row) {
    const uint32_t first = run.begin / 8, last = (run.end - 1) / 8;
    const auto from = static_cast<uint8_t>(0xFF << run.begin % 8);
    const auto to = static_cast<uint8_t>(0xFF >> (7 - (run.end - 1) % 8));
    if (first == last) {
      out[first] |= from & to;
      continue;
    }
    out[first] |= from;
    std::memset(out + first + 1, 0xFF, last - first - 1);
    out[last] |= to;
  }
}

uint64_t MaskRuns::Area() const {
  uint64_t area = 0;
  for (const PixelRun& run : runs_) area += run.end - run.begin;
  return area;
}

PixelBox MaskRuns::Box() const {
  if (runs_.empty()) return {};
  PixelBox box{UINT32_MAX, UINT32_MAX, 0, 0};
  for (uint32_t y = 0; y < rows(); ++y) {
    const std::span<const PixelRun> row = Row(y);
    if (row.empty()) continue;
    box.x0 = std::min(box.x0, row.front().begin), box.x1 = std::max(box.x1, row.back().end - 1);
    box.y0 = std::min(box.y0, y), box.y1 = y;
  }
  return box;
}

void MaskRuns::ToBytes(uint8_t* out, size_t stride) const {
  for (uint32_t y = 0; y < rows(); ++y) DrawBytes(Row(y), size_.width, out + y * stride);
}

void MaskRuns::ToBits(uint8_t* out, size_t stride) const {
  for (uint32_t y = 0; y < rows(); ++y) DrawBits(Row(y), size_.width, out + y * stride);
}

MaskRuns MaskRuns::Inverse() const {
  MaskRuns inverse(size_);
  for (uint32_t y = 0; y < rows(); ++y) {
    uint32_t begin = 0;
    for (const PixelRun& run : Row(y)) {
      if (run.begin > begin) inverse.runs_.push_back({begin, run.begin});
      begin = run.end;
    }
    if (begin < size_.width) inverse.runs_.push_back({begin, size_.width});
    inverse.ends_.push_back(static_cast<uint32_t>(inverse.runs_.size()));
  }
  return inverse;
}

MaskRuns MaskRuns::Rows(uint32_t first, uint32_t end) const {
  MaskRuns rows({size_.width, end - first});
  for (uint32_t y = first; y < end; ++y) rows.Add(Row(y));
  return rows;
}

MaskRuns MaskRuns::Placed(uint32_t x, uint32_t y, ImageSize within) const {
  MaskRuns placed(within);
  placed.runs_ = runs_;
  for (PixelRun& run : placed.runs_) run.begin += x, run.end += x;
  placed.ends_.assign(y, 0);
  placed.ends_.insert(placed.ends_.end(), ends_.begin(), ends_.end());
  placed.ends_.resize(within.height, static_cast<uint32_t>(runs_.size()));
  return placed;
}

}  // namespace intsam::internal
