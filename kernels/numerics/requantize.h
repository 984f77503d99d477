// Requantisation: from accumulators to the units of the next operator (docs/numerics.md, section 2).
#ifndef INTSAM_KERNELS_NUMERICS_REQUANTIZE_H_
#define INTSAM_KERNELS_NUMERICS_REQUANTIZE_H_

#include <cstdint>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {

// RQ32(acc; m, s) = (acc*m + 2^(s-1)) >> s, any acc, m in 2^30..2^31-1, s in 1..62: |acc*m| + 2^(s-1) < 2^63. The
// loader proves that the result fits s32 for the accumulators of a site, so other tiers may keep the low half only.
static constexpr int64_t Requantize32(int32_t acc, int32_t mult, int shift) {
  return RoundingShiftRight(int64_t{acc} * mult, shift);
}

// The common end of RQ16 and RQ16S: y in units of 2^-k code, k in 0..6, 0 <= lo <= zero <= hi <= 255.
static constexpr int CodeOf16(int16_t y, int k, int zero, int lo, int hi) {
  const int half = k == 0 ? 0 : 1 << (k - 1);
  return static_cast<int>(Clamp(Saturate16(y + (zero << k) + half) >> k, lo, hi));
}

// RQ16W: s16 output, acc with |acc| + 2^(p-1) < 2^31, p in 0..24, m in 1..2^15-1.
static constexpr int16_t Requantize16Wide(int32_t acc, int16_t mult, int p) {
  return MulRoundHigh(Saturate16(RoundingShiftRight(acc, p)), mult);
}

// RQ16: a code of at most 8 bits through 16-bit lanes. Domain of acc, m and p as RQ16W.
static constexpr int Requantize16(int32_t acc, int16_t mult, int p, int k, int zero, int lo, int hi) {
  return CodeOf16(Requantize16Wide(acc, mult, p), k, zero, lo, hi);
}

// RQ16S: RQ16 from s16, without the first shift.
static constexpr int Requantize16Short(int16_t v, int16_t mult, int k, int zero, int lo, int hi) {
  return CodeOf16(MulRoundHigh(v, mult), k, zero, lo, hi);
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NUMERICS_REQUANTIZE_H_
