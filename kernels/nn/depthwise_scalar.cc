// Normative depthwise convolutions (docs/numerics.md, section 3.5): exact s32 sums, in any order.
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

// Channels are the inner loop, which any compiler turns into vector code.
template <class Arguments>
void ScalarDepthwise(const Arguments& d) {
  const size_t channels = static_cast<size_t>(d.channels);
  for (size_t x = 0; x < static_cast<size_t>(d.count); ++x) {
    int32_t* acc = d.acc + x * d.acc_stride;
    for (size_t c = 0; c < channels; ++c) acc[c] = d.bias[c];
    for (size_t tap = 0; tap < 9; ++tap) {
      const auto* pixel = d.rows[tap / 3] + (x * static_cast<size_t>(d.stride) + tap % 3) * channels;
      const auto* weight = d.weight + tap * channels;
      for (size_t c = 0; c < channels; ++c) acc[c] += int32_t{pixel[c]} * weight[c];
    }
  }
}

}  // namespace

void FillDepthwiseScalar(Kernels& k) {
  k.depthwise_codes = ScalarDepthwise<DepthwiseCodes>;
  k.depthwise_s16 = ScalarDepthwise<DepthwiseS16>;
}

}  // namespace intsam::internal
