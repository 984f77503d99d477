// Low-resolution mask logits to masks at the size of the original image (docs/numerics.md section 12), and a mask that
// somebody drew to such logits.
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

// The way back, for a mask prompt. mask: one byte per pixel of `original`, not 0 inside; `stride` bytes from row to
// row. logits: s16 [side][side], `inside` or its negative: of the mask's pixel in the middle of each logit's square of
// the encoder input, whose side is `image_size`; outside of `resized`, where there is no photo, the negative.
void MaskPromptLogits(const uint8_t* mask, size_t stride, ImageSize original, ImageSize resized, uint32_t image_size,
                      uint32_t side, int16_t inside, int16_t* logits);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_MASKS_H_
