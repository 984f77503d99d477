// Masks as the tools keep them: one bit per pixel, first pixel in the lowest bit, rows padded to bytes. A mask from the
// library has a byte per pixel; of many objects on one photo only bits are kept.
#ifndef INTSAM_APPS_COMMON_BIT_MASK_H_
#define INTSAM_APPS_COMMON_BIT_MASK_H_

#include <cstdint>
#include <vector>

#include "runtime/image/resize.h"

namespace intsam::internal {

struct BitMask {
  ImageSize size;
  std::vector<uint8_t> bits;  // [height][stride()]

  size_t stride() const { return RowBytes(size.width); }
  bool At(uint32_t x, uint32_t y) const { return bits[y * stride() + x / 8] >> x % 8 & 1; }

  static size_t RowBytes(uint32_t width) { return (size_t{width} + 7) / 8; }
  static uint64_t Bytes(ImageSize size) { return uint64_t{RowBytes(size.width)} * size.height; }
};

// `mask`: a byte per pixel of `from`, zero outside. A smaller size takes the pixel under each centre.
BitMask PackMask(const uint8_t* mask, ImageSize from, ImageSize to);

// A byte per pixel, 0 or 1.
void UnpackMask(const BitMask& mask, std::vector<uint8_t>& bytes);

// What of a picture a mask takes: the number of its pixels, and the smallest rectangle around them. All 0 when empty.
struct MaskExtent {
  uint64_t area = 0;
  uint32_t x = 0, y = 0, width = 0, height = 0;
};

MaskExtent MeasureMask(const uint8_t* mask, ImageSize size);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_BIT_MASK_H_
