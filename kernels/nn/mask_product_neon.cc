// NEON product of hypernetwork outputs and upscaled features (docs/numerics.md, section 11): SMLAL along the channels
// of four pixels, whose sums are then brought into one register.
#include <algorithm>

#include "kernels/isa/neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

constexpr int kMaxChannels = 32;

void NeonMaskProduct(const MaskProduct& m) {
  const size_t channels = static_cast<size_t>(m.channels);
  const int32x4_t lo = vdupq_n_s32(-32767), hi = vdupq_n_s32(32767);
  for (int i = 0; i < m.masks; ++i) {
    int16_t hyper[kMaxChannels] = {};  // zero from the pixel's last channel on
    std::copy_n(m.hyper + static_cast<size_t>(i) * channels, channels, hyper);
    const Rq32Lanes rq = MakeRq32Lanes(m.rq.mult[i], m.rq.shift[i]);
    int16_t* out = m.out + static_cast<size_t>(i) * m.out_stride;
    ForEachVector<4>(m.pixels, [&](int x, int count) {
      int32x4_t sums[4];
      for (int lane = 0; lane < 4; ++lane) {
        const int16_t* u = m.upscaled + static_cast<size_t>(x + std::min(lane, count - 1)) * channels;
        sums[lane] = vdupq_n_s32(0);
        for (size_t c = 0; c < channels; c += 8) {
          const int16x8_t h = vld1q_s16(hyper + c), v = vld1q_s16(u + c);
          sums[lane] = MulAddHigh(MulAddLow(sums[lane], h, v), h, v);
        }
      }
      const int32x4_t y = Apply(rq, SumEach(sums[0], sums[1], sums[2], sums[3]));
      StoreFirst(out + x, vmovn_s32(Clamp32(y, lo, hi)), count);
    });
  }
}

}  // namespace

void FillMaskProductNeon(Kernels& k) { k.mask_product = NeonMaskProduct; }

}  // namespace intsam::internal
