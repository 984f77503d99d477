// LayerNorm of R24 rows: the row statistics and the two per-element formulas (docs/numerics.md, section 4).
#ifndef INTSAM_KERNELS_NUMERICS_LAYER_NORM_H_
#define INTSAM_KERNELS_NUMERICS_LAYER_NORM_H_

#include <cstdint>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {

// mu = FDR(sum x, C).
static constexpr int32_t LayerNormMean(int64_t sum, int channels) {
  return static_cast<int32_t>(FloorDivideRound(sum, channels));
}

// R and h of W = E + sum d^2, 1 <= W < 2^62: sqrt(W) = 2^(31+h) / R to within the truncations the definition fixes.
struct InverseRoot {
  int32_t root;  // R, 2^19..2^20
  int h;         // -11..19
};
static constexpr InverseRoot LayerNormInverseRoot(int64_t sum_squares) {
  const int n = BitLength(static_cast<uint64_t>(sum_squares));
  const int h = (n - 23) >> 1;
  const int64_t w = h >= 0 ? sum_squares >> (2 * h) : sum_squares << (-2 * h);
  return {static_cast<int32_t>(IntegerSqrt(static_cast<uint64_t>((int64_t{1} << 62) / w))), h};
}

// 1/sigma = RC * 2^-(31+h).
struct LayerNormScale {
  int32_t reciprocal;  // RC, below 2^26
  int h;
};
// sqrt_c = Cs = round(sqrt(C) * 2^16), C <= 2048.
static constexpr LayerNormScale LayerNormScaleOf(int64_t sum_squares, int32_t sqrt_c) {
  const InverseRoot inverse = LayerNormInverseRoot(sum_squares);
  return {static_cast<int32_t>(RoundingShiftRight(int64_t{inverse.root} * sqrt_c, 16)), inverse.h};
}

// LN-N: 512/sigma = R16 * 2^-(15+hh), so that a deviation shifted by hh fits 16 bits.
struct LayerNormScale16 {
  int16_t reciprocal;  // R16, 2^14..2^15-1
  int shift;           // hh; negative: shift left
};
static constexpr LayerNormScale16 LayerNormScale16Of(LayerNormScale scale) {
  int nb = BitLength(static_cast<uint64_t>(scale.reciprocal));
  int64_t r16 = nb > 15 ? RoundingShiftRight(scale.reciprocal, nb - 15) : ShiftLeft(scale.reciprocal, 15 - nb);
  if (r16 == 1 << 15) {
    r16 = 1 << 14;
    ++nb;
  }
  return {static_cast<int16_t>(r16), 22 + scale.h - nb};
}

// LN-N of one deviation d = x - mu. 32768*|gain| + |bias| < 2^31; k in 0..20.
static constexpr int LayerNormNarrowCode(int32_t d, LayerNormScale16 scale, int16_t gain, int32_t bias, int k, int lo,
                                         int hi) {
  const int16_t t = Saturate16(scale.shift >= 0 ? RoundingShiftRight(d, scale.shift) : ShiftLeft(d, -scale.shift));
  const int16_t v = MulRoundHigh(t, scale.reciprocal);
  return static_cast<int>(Clamp((int32_t{v} * gain + bias) >> k, lo, hi));
}

// LN-W of one deviation. |gain| < 2^23, |bias| < 2^62, shift sg in 1..46.
static constexpr int16_t LayerNormWideValue(int32_t d, LayerNormScale scale, int32_t gain, int64_t bias, int shift) {
  const int64_t n = RoundingShiftRight(int64_t{d} * scale.reciprocal, 15 + scale.h);
  return static_cast<int16_t>(Clamp(RoundingShiftRight(n * gain + bias, shift), -32767, 32767));
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NUMERICS_LAYER_NORM_H_
