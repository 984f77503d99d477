// Depthwise convolutions of codes by SDOT: the NEON instance of depthwise_dot.h.
#include "kernels/isa/neon.h"
#include "kernels/nn/depthwise_dot.h"

namespace intsam::internal {
namespace {

struct DotColumns {
  using Vector = int32x4_t;
  using Bytes = int8x16_t;
  static constexpr int kLanes = 4;

  static void Columns(const void* a, const void* b, const void* c, Bytes (&out)[depthwise::kQuads]) {
    const auto load = [](const void* p) { return vld1q_s8(static_cast<const int8_t*>(p)); };
    const int8x16_t x = load(a), y = load(b), z = load(c), zero = vdupq_n_s8(0);
    const int16x8_t xy_low = vreinterpretq_s16_s8(vzip1q_s8(x, y)), xy_high = vreinterpretq_s16_s8(vzip2q_s8(x, y));
    const int16x8_t z_low = vreinterpretq_s16_s8(vzip1q_s8(z, zero));
    const int16x8_t z_high = vreinterpretq_s16_s8(vzip2q_s8(z, zero));
    out[0] = vreinterpretq_s8_s16(vzip1q_s16(xy_low, z_low)), out[1] = vreinterpretq_s8_s16(vzip2q_s16(xy_low, z_low));
    out[2] = vreinterpretq_s8_s16(vzip1q_s16(xy_high, z_high));
    out[3] = vreinterpretq_s8_s16(vzip2q_s16(xy_high, z_high));
  }
  static Vector DotBytes(Vector sum, Bytes bytes, Bytes w) { return vdotq_s32(sum, bytes, w); }
  static Vector Load(const int32_t* p) { return vld1q_s32(p); }
  static void Store(int32_t* p, Vector v) { vst1q_s32(p, v); }
};

}  // namespace

void FillDepthwiseDotprod(Kernels& k) { k.depthwise_codes = depthwise::Depthwise<DotColumns>; }

}  // namespace intsam::internal
