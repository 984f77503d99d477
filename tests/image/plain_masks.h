// Masks as docs/numerics.md section 12 defines them, every pixel computed: what runtime/image must equal to the bit.
#ifndef INTSAM_TESTS_IMAGE_PLAIN_MASKS_H_
#define INTSAM_TESTS_IMAGE_PLAIN_MASKS_H_

#include <cstdint>
#include <vector>

#include "runtime/image/mask_sampling.h"

namespace intsam::internal::testing {

// logits: s16 [side][side]. The interpolated logits of the view, s32 [height][width], in units of the logits / 4096.
std::vector<int32_t> PlainLogits(const std::vector<int16_t>& logits, uint32_t side, ImageSize resized,
                                 ImageSize original, const MaskView& view);

// One byte per pixel: 1 where the interpolated logit is greater than the threshold.
std::vector<uint8_t> PlainMask(const std::vector<int16_t>& logits, uint32_t side, ImageSize resized, ImageSize original,
                               const MaskView& view, int32_t threshold);

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_IMAGE_PLAIN_MASKS_H_
