// Low-resolution mask logits to masks at the size of the original image (docs/numerics.md section 12).
#ifndef INTSAM_RUNTIME_IMAGE_MASKS_H_
#define INTSAM_RUNTIME_IMAGE_MASKS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/image/resize.h"

namespace intsam::internal {

// logits: s16 [side][side] with side = 4 * grid. Upsampled by 4, cropped to `resized`, interpolated to `original`.
// Rows are produced one at a time into `row` (s32 [original.width], unit of the logits / 4096), so no full-size
// map of logits exists. Usage: MaskUpscaler up(logits, side, resized, original); for y: up.Row(y, row).
class MaskUpscaler {
 public:
  MaskUpscaler(const int16_t* logits, uint32_t side, ImageSize resized, ImageSize original);
  void Row(uint32_t y, int32_t* row);

 private:
  // Cache of the last two upsampled source rows, tap tables of both axes: see masks.cc.
  void SourceRow(uint32_t y, int16_t* row);
  const int16_t* CachedRow(uint32_t y);
  struct Tap {
    uint32_t first, second;
    int32_t weight;  // of `second`, 0..4096
  };
  static std::vector<Tap> Taps(uint32_t from, uint32_t to);
  const int16_t* logits_;
  uint32_t side_;
  ImageSize resized_, original_;
  std::vector<Tap> x_taps_, y_taps_;
  std::vector<int16_t> rows_[2];
  uint32_t cached_[2];
  std::vector<int32_t> eighths_;  // a row of logits after the vertical half of the x4 step
  std::vector<int16_t> mixed_;    // a source row after the vertical half of the interpolation
};

// mask = logit > threshold (strictly), `threshold` in units of the logits / 4096. One byte per pixel, 0 or 1.
void ThresholdMask(const int16_t* logits, uint32_t side, ImageSize resized, ImageSize original, int32_t threshold,
                   uint8_t* out, size_t stride);
// The same, eight pixels per byte, first pixel in the lowest bit, rows padded with zero bits to whole bytes.
void ThresholdMaskBits(const int16_t* logits, uint32_t side, ImageSize resized, ImageSize original, int32_t threshold,
                       uint8_t* out, size_t stride);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_MASKS_H_
