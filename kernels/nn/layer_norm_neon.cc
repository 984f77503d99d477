// NEON LayerNorm of R24 rows (docs/numerics.md, section 4): exact sums over 64-bit lanes, the row scale from the shared
// scalar formulas, then 16-bit lanes (LN-N) or 64-bit products (LN-W) per element.
#include "kernels/isa/neon.h"
#include "kernels/nn/layer_norm_rows.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

RowSums SumsOf(const int32_t* x, int channels) {
  int64x2_t sums = vdupq_n_s64(0), squares_low = vdupq_n_s64(0), squares_high = vdupq_n_s64(0);
  int c = 0;
  for (; c + 4 <= channels; c += 4) {
    const int32x4_t v = vld1q_s32(x + c);
    sums = vpadalq_s32(sums, v);
    squares_low = MulAddLow(squares_low, v, v);
    squares_high = MulAddHigh(squares_high, v, v);
  }
  RowSums row = {SumLanes(sums), SumLanes(vaddq_s64(squares_low, squares_high))};
  for (; c < channels; ++c) {
    row.values += x[c];
    row.squares += int64_t{x[c]} * x[c];
  }
  return row;
}

void NeonLayerNormNarrow(const LayerNormNarrow& l) {
  const CodeRange range = MakeCodeRange(l.lo, l.hi, l.flip);
  const Right32 right = MakeRight32(l.k);
  ForEachRow(l, SumsOf, [&](const RowStatistics& row, const int32_t* x, uint8_t* out) {
    const LayerNormScale16 scale = LayerNormScale16Of(row.scale);
    const int32x4_t mean = vdupq_n_s32(row.mean);
    const Right32 deviation_right = MakeRight32(scale.shift);  // where hh < 0, to the left
    const auto deviation = [&](int c) { return RoundingShift(vsubq_s32(vld1q_s32(x + c), mean), deviation_right); };
    const auto values = [&](int c) {
      const int16x8_t v = vqrdmulhq_n_s16(Pack16(deviation(c), deviation(c + 4)), scale.reciprocal);
      const int16x8_t gain = vld1q_s16(l.gain + c);
      return Pack16(Shift(MulAddLow(vld1q_s32(l.bias + c), v, gain), right),
                    Shift(MulAddHigh(vld1q_s32(l.bias + c + 4), v, gain), right));
    };
    ForEachVector<16>(l.channels,
                      [&](int c, int count) { StoreFirst(out + c, CodesOf(values(c), values(c + 8), range), count); });
  });
}

void NeonLayerNormWide(const LayerNormWide& l) {
  const Right64 right = MakeRight64(l.shift);
  const int32x4_t lo = vdupq_n_s32(-32767), hi = vdupq_n_s32(32767);
  ForEachRow(l, SumsOf, [&](const RowStatistics& row, const int32_t* x, int16_t* out) {
    const int32x4_t mean = vdupq_n_s32(row.mean);
    const Rq32Lanes normal = MakeRq32Lanes(row.scale.reciprocal, 15 + row.scale.h);  // n fits s32
    ForEachVector<4>(l.channels, [&](int c, int count) {
      const int32x4_t n = Apply(normal, vsubq_s32(vld1q_s32(x + c), mean));
      const int32x4_t gain = vld1q_s32(l.gain + c);
      const int64x2_t low = RoundingShift(MulAddLow(vld1q_s64(l.bias + c), n, gain), right);
      const int64x2_t high = RoundingShift(MulAddHigh(vld1q_s64(l.bias + c + 2), n, gain), right);
      const int32x4_t y = PackSaturated32(low, high);
      StoreFirst(out + c, vmovn_s32(Clamp32(y, lo, hi)), count);
    });
  });
}

}  // namespace

void FillLayerNormNeon(Kernels& k) {
  k.layer_norm_narrow = NeonLayerNormNarrow;
  k.layer_norm_wide = NeonLayerNormWide;
}

}  // namespace intsam::internal
