// What is made of low-resolution mask logits (docs/numerics.md section 12): pixels, runs, counts. And the way back,
// from a mask that somebody drew to such logits.
#ifndef INTSAM_RUNTIME_IMAGE_MASKS_H_
#define INTSAM_RUNTIME_IMAGE_MASKS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/base/status.h"
#include "runtime/base/thread_pool.h"
#include "runtime/image/mask_runs.h"
#include "runtime/image/mask_scan.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

enum class MaskFormat { kBytes, kBits };  // as MaskRuns::ToBytes and ToBits

// The rows of a scan are shared by the workers; the results do not depend on how many there are. kResource: no memory.
Status DrawMask(const MaskScan& scan, MaskFormat format, uint8_t* out, size_t stride, Parallel& parallel);
Result<MaskRuns> CollectRuns(const MaskScan& scan, Parallel& parallel);

// The same on the calling thread alone.
MaskRuns CollectRuns(const MaskScan& scan);
// How many pixels are inside.
uint64_t CountPixels(const MaskScan& scan);

// The share of the pixels above a low threshold that are also above a high one: Q16, rounded down, 0 of none.
inline int32_t StabilityQ16(uint64_t above_high, uint64_t above_low) {
  return above_low == 0 ? 0 : static_cast<int32_t>((above_high << 16) / above_low);
}

// The way back, for a mask prompt. mask: one byte per pixel of `original`, not 0 inside; `stride` bytes from row to
// row. logits: s16 [side][side], `inside` or its negative: of the mask's pixel in the middle of each logit's square of
// the encoder input, whose side is `image_size`; outside of `resized`, where there is no photo, the negative.
void MaskPromptLogits(const uint8_t* mask, size_t stride, ImageSize original, ImageSize resized, uint32_t image_size,
                      uint32_t side, int16_t inside, int16_t* logits);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_MASKS_H_
