// All masks of a photo in one picture of numbers.
#ifndef INTSAM_APPS_COMMON_LABEL_MAP_H_
#define INTSAM_APPS_COMMON_LABEL_MAP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

// Every pixel has the number of the smallest mask that covers it, the later one of equals: as if they were painted from
// the largest to the smallest. The first mask is 1; 0 is where there is none.
class LabelPainter {
 public:
  static constexpr size_t kMaxMasks = UINT16_MAX;

  explicit LabelPainter(ImageSize size) : size_(size), labels_(size_t{size.width} * size.height) {}

  // `mask`: a byte per pixel, 0 outside, with `area` pixels inside. At most kMaxMasks times.
  void Add(const std::vector<uint8_t>& mask, uint64_t area);

  const std::vector<uint16_t>& labels() const { return labels_; }

  // A gray PNG of 16 bits.
  Status Write(const std::string& path) const;

 private:
  ImageSize size_;
  std::vector<uint16_t> labels_;
  std::vector<uint64_t> areas_;  // of the masks so far
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_LABEL_MAP_H_
