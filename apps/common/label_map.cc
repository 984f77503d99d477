#include "apps/common/label_map.h"

#include "apps/common/picture_writer.h"

namespace intsam::internal {

void LabelPainter::Add(const std::vector<uint8_t>& mask, uint64_t area) {
  areas_.push_back(area);
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0 && (labels_[i] == 0 || area <= areas_[labels_[i] - 1u])) {
      labels_[i] = static_cast<uint16_t>(areas_.size());
    }
  }
}

Status LabelPainter::Write(const std::string& path) const { return WriteGray16Png(path, labels_.data(), size_); }

}  // namespace intsam::internal
