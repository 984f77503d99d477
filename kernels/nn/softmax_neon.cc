// NEON softmax of a row on 16-bit lanes (docs/numerics.md, sections 6.2 and 6.3): one sweep for the exponentials and
// their sum, and for U8 and AGQ a second one for the codes.
#include <algorithm>
#include <array>

#include "kernels/isa/neon.h"
#include "kernels/nn/softmax_heads.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

constexpr int kLanes = 8;

// v in the first `count` lanes, `rest` in the others.
int32x4_t FirstOf(int32x4_t v, int count, int32x4_t rest) {
  constexpr int32_t kIndex[4] = {0, 1, 2, 3};
  return vbslq_s32(vcltq_s32(vld1q_s32(kIndex), vdupq_n_s32(count)), v, rest);
}

// Adds the relative positions, if any, to the logits; the maximum of the row.
int32_t FinishLogits(const SoftmaxRow& s) {
  int32x4_t maximum = vdupq_n_s32(INT32_MIN);
  const auto grow = [&](int32x4_t v, int count) {
    maximum = vmaxq_s32(maximum, count >= 4 ? v : FirstOf(v, count, maximum));
  };
  if (s.rh == nullptr) {
    ForEachVector<4>(s.count, [&](int j, int count) { grow(vld1q_s32(s.logits + j), count); });
    return MaxLane(maximum);
  }
  int32_t* logits = s.logits;
  const int32_t* rw = s.rw;
  for (int ky = 0; ky < s.side_h; ++ky, logits += s.side_w, rw += s.rw_stride) {
    const int32x4_t rh = vdupq_n_s32(s.rh[ky]);
    ForEachVector<4>(s.side_w, [&](int kx, int count) {
      const int32x4_t v = vaddq_s32(vld1q_s32(logits + kx), vaddq_s32(rh, vld1q_s32(rw + kx)));
      StoreFirst(logits + kx, v, count);
      grow(v, count);
    });
  }
  return MaxLane(maximum);
}

// The constants of one row's softmax.
class RowSoftmax {
 public:
  RowSoftmax(const SoftmaxRow& s, int32_t maximum)
      : maximum_(vdupq_n_s32(maximum)),
        mult_(vdupq_n_u16(s.mult)),
        right_(MakeRight32(std::max(s.shift, 0))),
        up_(MakeLeft16(std::max(-s.shift, 0))) {
    const int up = std::max(-s.shift, 0);
    widest_ = vdupq_n_u32(65535u >> up);
    top_ = vdupq_n_u16(static_cast<uint16_t>(65535u >> up << up));
    far_ = vdupq_n_s32(static_cast<int32_t>(static_cast<uint32_t>(maximum) + 1));
  }

  // t of kLanes logits, `count` of which exist: the others are infinitely far.
  uint16x8_t Distances(const int32_t* logits, int count) const {
    const uint16x8_t near = PackSmall16(Near(logits, count), Near(logits + 4, count - 4));
    const uint16x8_t d = Shift(near, up_);
    return vorrq_u16(MulHigh16(d, mult_), vceqq_u16(d, top_));
  }

  // 2^-t in Q15.
  static uint16x8_t Exponentials(uint16x8_t t) {
    const int16x8_t f = vreinterpretq_s16_u16(vshlq_n_u16(vandq_u16(t, vdupq_n_u16(2047)), 4));
    int16x8_t h = vqrdmulhq_s16(vdupq_n_s16(-1296), f);
    h = vqrdmulhq_s16(vaddq_s16(h, vdupq_n_s16(7566)), f);
    h = vqrdmulhq_s16(vsubq_s16(h, vdupq_n_s16(22654)), f);
    return ShiftedByOctaves(vreinterpretq_u16_s16(vaddq_s16(h, vdupq_n_s16(32767))), t);
  }

 private:
  // min(u >> p, 65535), or min(u, 65535 >> -p).
  uint32x4_t Near(const int32_t* logits, int count) const {
    // A logit of max + 1 (wrapping) is at distance 2^32 - 1, farther than any p in range can bring back: t = 65535 and
    // e = 0, which every variant decodes to zero.
    const int32x4_t v = count >= 4 ? vld1q_s32(logits) : FirstOf(vld1q_s32(logits), count, far_);
    return vminq_u32(Shift(vreinterpretq_u32_s32(vsubq_s32(maximum_, v)), right_), widest_);
  }

  int32x4_t maximum_;
  uint16x8_t mult_;
  Right32 right_;
  Left16 up_;
  int32x4_t far_;
  uint32x4_t widest_;
  uint16x8_t top_;
};

// The first sweep: e (or t) of every key and of the padding, and the sum of e.
template <bool kDistances>
uint32_t Exponentials(const SoftmaxRow& s, int32_t maximum) {
  const RowSoftmax row(s, maximum);
  uint32x4_t sums = vdupq_n_u32(0);
  const auto step = [&](int j, int count) {
    const uint16x8_t t = row.Distances(s.logits + j, count), e = RowSoftmax::Exponentials(t);
    sums = vpadalq_u16(sums, e);
    vst1q_u16(s.prob + j, kDistances ? t : e);
  };
  const int padded = RoundUp(s.count, kPanel);
  int j = 0;
  for (; j + kLanes <= s.count; j += kLanes) step(j, kLanes);
  for (; j < padded; j += kLanes) step(j, s.count - j);
  return SumLanes(sums);
}

// The second sweep of U8: e to codes, in place.
void UniformCodes(const SoftmaxRow& s, uint32_t sum) {
  const UniformRow row = UniformRowOf(sum, s.code.step_mult, s.code.step_shift);
  const uint16x8_t reciprocal = vdupq_n_u16(row.reciprocal);
  const uint16x8_t most = vdupq_n_u16(static_cast<uint16_t>((1 << s.code.bits) - 1));
  const Right16 right = MakeRight16(std::max(row.shift, 0));
  const Left16 up = MakeLeft16(std::clamp(-row.shift, 0, 8));
  for (int j = 0; j < s.count; j += kLanes) {
    const uint16x8_t e = vld1q_u16(s.prob + j);
    const uint16x8_t y = MulHigh16(vaddq_u16(e, e), reciprocal);
    const uint16x8_t code = row.shift >= 0 ? RoundingShift(y, right) : Shift(vminq_u16(y, vdupq_n_u16(255)), up);
    vst1q_u16(s.prob + j, vminq_u16(code, most));
  }
}

// The second sweep of AGQ: t to decoded levels, in place.
void AgqLevels(const SoftmaxRow& s, uint32_t sum) {
  const int kt = s.code.tau_shift;
  // g = t + row with the half of the rounding, saturated to u16. Below zero every code is zero; from 2^15 on every
  // level is (sixteen octaves).
  const int row = AgqRowTerm(sum, s.code.log2_scale) + (1 << (10 - kt));
  const uint16x8_t plus = vdupq_n_u16(static_cast<uint16_t>(std::max(row, 0)));
  const uint16x8_t minus = vdupq_n_u16(static_cast<uint16_t>(std::max(-row, 0)));
  // Codes are counted in sixteenths of an octave: floored by the mask to the granularity, they index LUT_16.
  const uint16x8_t fraction = vdupq_n_u16(static_cast<uint16_t>(16 - (16 >> kt)));
  const uint16x8_t last = vdupq_n_u16(static_cast<uint16_t>((16 << s.code.bits >> kt) - 1));
  const Table32 powers = LoadTable(kPowers16);
  for (int j = 0; j < RoundUp(s.count, kPanel); j += kLanes) {
    const uint16x8_t g = vqsubq_u16(vqaddq_u16(vld1q_u16(s.prob + j), plus), minus);
    const uint16x8_t sixteenths = vshrq_n_u16(g, 7);
    const uint16x8_t mantissa = LookUp16(powers, vandq_u16(sixteenths, fraction));
    // Codes above the last are the zero symbol.
    const uint16x8_t level = vbicq_u16(ShiftedByOctaves(mantissa, g), vcgtq_u16(sixteenths, last));
    vst1q_u16(s.prob + j, level);
  }
}

void NeonSoftmaxRow(SoftmaxRow& s) {
  const int32_t maximum = FinishLogits(s);
  const bool agq = s.code.variant == SoftmaxVariant::kAgq;
  const uint32_t sum = agq ? Exponentials<true>(s, maximum) : Exponentials<false>(s, maximum);
  if (agq) AgqLevels(s, sum);
  if (s.code.variant == SoftmaxVariant::kU8) UniformCodes(s, sum);
  s.sum = static_cast<int32_t>(sum);
}

}  // namespace

void FillSoftmaxNeon(Kernels& k) {
  k.softmax_row = NeonSoftmaxRow;
  k.softmax_heads = SoftmaxOfHeads;
}

}  // namespace intsam::internal
