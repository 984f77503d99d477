// Normative product of hypernetwork outputs and upscaled features (docs/numerics.md, section 11).
#include "kernels/numerics/requantize.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

void ScalarMaskProduct(const MaskProduct& m) {
  const size_t channels = static_cast<size_t>(m.channels), pixels = static_cast<size_t>(m.pixels);
  for (size_t i = 0; i < static_cast<size_t>(m.masks); ++i) {
    for (size_t x = 0; x < pixels; ++x) {
      int32_t sum = 0;
      for (size_t c = 0; c < channels; ++c) sum += int32_t{m.hyper[i * channels + c]} * m.upscaled[x * channels + c];
      m.out[i * m.out_stride + x] =
          static_cast<int16_t>(Clamp(Requantize32(sum, m.rq.mult[i], m.rq.shift[i]), -32767, 32767));
    }
  }
}

}  // namespace

void FillMaskProductScalar(Kernels& k) { k.mask_product = ScalarMaskProduct; }

}  // namespace intsam::internal
