// Where the pixels of a mask lie among the upsampled logits (docs/numerics.md section 12): the interpolation of both
// axes, made once for all masks of an image that are asked at one size.
#ifndef INTSAM_RUNTIME_IMAGE_MASK_SAMPLING_H_
#define INTSAM_RUNTIME_IMAGE_MASK_SAMPLING_H_

#include <cstdint>
#include <vector>

#include "runtime/image/resize.h"

namespace intsam::internal {

// A rectangle of the photo, in its pixels, and the size in pixels at which it is shown. All sides are at least 1.
struct MaskView {
  uint32_t x = 0, y = 0;  // left top pixel
  ImageSize region;
  ImageSize size;

  static MaskView Whole(ImageSize original) { return {0, 0, original, original}; }
};

// One axis. Pixel p of the mask mixes the lines first[p] and min(first[p] + 1, lines - 1), rows or columns, of the
// upsampled logits; the second one has weight[p] / 4096.
struct MaskAxis {
  std::vector<uint16_t> first;
  std::vector<uint16_t> weight;
  std::vector<uint32_t> begin;  // [lines + 1]: the first pixel whose first line is this one or a later one

  // Pixels of `length` of the photo's `original` from `start` on, shown as `size`; the photo was resized to `lines`.
  MaskAxis(uint32_t start, uint32_t length, uint32_t size, uint32_t original, uint32_t lines);

  uint32_t lines() const { return static_cast<uint32_t>(begin.size()) - 1; }
  uint32_t second(uint32_t line) const { return line + 1 < lines() ? line + 1 : line; }
  uint32_t first_used() const { return first.front(); }
  uint32_t last_used() const { return second(first.back()); }
};

struct MaskSampling {
  MaskAxis columns, rows;

  // The region of the view lies within `original`, which was resized to `resized`.
  MaskSampling(ImageSize resized, ImageSize original, const MaskView& view)
      : columns(view.x, view.region.width, view.size.width, original.width, resized.width),
        rows(view.y, view.region.height, view.size.height, original.height, resized.height) {}

  ImageSize size() const {
    return {static_cast<uint32_t>(columns.first.size()), static_cast<uint32_t>(rows.first.size())};
  }
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_MASK_SAMPLING_H_
