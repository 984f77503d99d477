// Softmax in base 2 from accumulator-unit logits, and the division at the attention output (docs/numerics.md,
// section 6). Q11 values are log2 units * 2^11; probabilities are Q15 with 32767 as one.
#ifndef INTSAM_KERNELS_NUMERICS_SOFTMAX_H_
#define INTSAM_KERNELS_NUMERICS_SOFTMAX_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {

// t: the distance u = M - A of a logit to the row maximum, in Q11; 65535 means infinitely far. p in -15..15,
// mult (mu16) in 2^15..2^16-1. Nothing is rounded here, and a saturated distance always becomes 65535.
static constexpr uint16_t LogDistance(uint32_t u, int p, uint16_t mult) {
  const int up = p < 0 ? -p : 0;
  const uint32_t widest = 65535u >> up;
  const uint32_t top = widest << up;
  const uint32_t shifted = p >= 0 ? u >> p : u;
  const uint32_t d = (shifted < widest ? shifted : widest) << up;
  return d == top ? uint16_t{65535} : MulHigh(static_cast<uint16_t>(d), mult);
}

// e = 2^-t in Q15 for t in Q11: 32767 at 0, non-increasing, 0 from t = 16 * 2048 on.
static constexpr uint16_t Exp2Negative(uint16_t t) {
  const int i = t >> 11;
  if (i > 15) return 0;
  const int16_t f = static_cast<int16_t>((t & 2047) << 4);
  int16_t h = MulRoundHigh(-1296, f);
  h = MulRoundHigh(static_cast<int16_t>(h + 7566), f);
  h = MulRoundHigh(static_cast<int16_t>(h - 22654), f);
  return static_cast<uint16_t>(RoundingShiftRight(h + 32767, i));
}

namespace numerics_internal {

// round(2^11 * log2(1 + j/64)), by repeated squaring: each squaring of a value in 1..2 yields one more binary digit.
static constexpr std::array<int16_t, 65> MakeLog2Table() {
  std::array<int16_t, 65> table{};
  for (int j = 0; j < 64; ++j) {
    uint64_t x = (uint64_t{64} + static_cast<uint64_t>(j)) << 25;  // Q31, 1..2
    uint32_t digits = 0;
    for (int bit = 0; bit < 20; ++bit) {
      x = (x * x) >> 31;
      const bool one = x >= uint64_t{1} << 32;
      if (one) x >>= 1;
      digits = 2 * digits + (one ? 1 : 0);
    }
    table[static_cast<size_t>(j)] = static_cast<int16_t>((digits + 256) >> 9);
  }
  table[64] = 2048;
  return table;
}

}  // namespace numerics_internal

inline constexpr std::array<int16_t, 65> kLog2Table = numerics_internal::MakeLog2Table();  // L2T

// LUT_16: round(32767 * 2^(-r/16)). LUT_tau holds every (16 / tau)-th entry of it.
inline constexpr uint16_t kPowers16[16] = {32767, 31378, 30047, 28774, 27554, 26385, 25267, 24196,
                                           23170, 22187, 21247, 20346, 19483, 18657, 17866, 17109};

// lg2(S) in Q11, S >= 1.
static constexpr int32_t Log2(uint32_t s) {
  const int n = BitLength(s) - 1;
  const uint32_t fraction = (n >= 16 ? s >> (n - 16) : s << (16 - n)) - 65536;
  const uint32_t j = fraction >> 10;
  const int32_t r = static_cast<int32_t>(fraction & 1023);
  const int32_t low = kLog2Table[j];
  return (n << 11) + low + (((kLog2Table[j + 1] - low) * r + 512) >> 10);
}

// The part of an AGQ code that is common to a row: lg2(S) - (15 << 11) + LS, LS = round(2048 * log2(scale)) in
// -32767..4096 and S in 2^15-1..2^31-1. The lower bound keeps an infinitely far key (t = 65535) 16 octaves below the
// scale, where it decodes to zero.
static constexpr int32_t AgqRowTerm(uint32_t sum, int32_t log2_scale) { return Log2(sum) - (15 << 11) + log2_scale; }

// AGQ with granularity tau = 2^kt, kt in 0..4, on 2^bits levels, bits in 2..8; code 2^bits means probability zero.
static constexpr int AgqCode(uint16_t t, int32_t row_term, int kt, int bits) {
  return static_cast<int>(Clamp(RoundingShiftRight(int64_t{t} + row_term, 11 - kt), 0, int64_t{1} << bits));
}

// DEC[code] in Q15; zero from 16 octaves on.
static constexpr uint16_t AgqDecode(int code, int kt, int bits) {
  const int shift = code >> kt;
  if (code == 1 << bits || shift > 20) return 0;
  const int sixteenth = (code & ((1 << kt) - 1)) << (4 - kt);
  return static_cast<uint16_t>(RoundingShiftRight(kPowers16[sixteenth], shift));
}

// U8: uniform probability codes. 1/scale = mult * 2^-shift with mult in 2^15..2^16-1 and shift in -16..24; S in
// 2^15-1..2^31-1. The shift of the row is then in -17..40.
struct UniformRow {
  uint16_t reciprocal;  // R
  int shift;            // sh
};
static constexpr UniformRow UniformRowOf(uint32_t sum, uint16_t mult, int shift) {
  const uint64_t quotient = (uint64_t{mult} << 44) / sum;
  const int n = BitLength(quotient);
  return {static_cast<uint16_t>(quotient >> (n - 16)), 45 + shift - n};
}
static constexpr int UniformCode(uint16_t e, UniformRow row, int bits) {
  const int64_t y = MulHigh(static_cast<uint16_t>(2 * e), row.reciprocal);
  const int up = row.shift < -8 ? 8 : -row.shift;
  const int64_t code = row.shift >= 0 ? RoundingShiftRight(y, row.shift) : Clamp(y, 0, 255) << up;
  return static_cast<int>(Clamp(code, 0, (int64_t{1} << bits) - 1));
}

// Probabilities that are divided by their sum at once, of few keys (docs/numerics.md 6.6). S in 2^15-1..2^24-1.
struct TokenDivisor {
  uint32_t reciprocal;  // at most 2^16
  int shift;            // 15..24
};
static constexpr TokenDivisor TokenDivisorOf(uint32_t sum) {
  const int n = BitLength(sum);
  return {static_cast<uint32_t>((uint64_t{1} << (n + 15)) / sum), n};
}
// Of e <= 32767: a product and its rounding half stay below 2^32.
static constexpr uint32_t TokenProbability(uint32_t e, TokenDivisor divisor) {
  const uint32_t p = (e * divisor.reciprocal + (uint32_t{1} << (divisor.shift - 1))) >> divisor.shift;
  return p < 32767 ? p : 32767;
}

// The attention output: N / S times the site multiplier mult * 2^-shift (mult as in RQ32, shift in 1..62).
struct AttentionDivisor {
  int64_t reciprocal;  // RMo, at most 2^31
  int pre_shift;       // h, applied to N
  int shift;           // applied to the product; can exceed 62
};
// S in 1..2^31-1.
static constexpr AttentionDivisor AttentionDivisorOf(uint32_t sum, int32_t mult, int shift) {
  const int n = BitLength(sum);
  const int64_t reciprocal = Clamp((int64_t{1} << 61) / (int64_t{sum} << (31 - n)), 0, INT32_MAX);
  const int h = n > 22 ? n - 22 : 0;
  return {RoundingShiftRight(reciprocal * mult, 31), h, shift + n - 1 - h};
}
// |N| <= 255 * S, so that the product stays below 2^61: a shift of 62 already gives 0, and so does any larger one.
static constexpr int AttentionOutputValue(int64_t n, AttentionDivisor divisor, int lo, int hi) {
  const int64_t product = RoundingShiftRight(n, divisor.pre_shift) * divisor.reciprocal;
  const int shift = divisor.shift < 62 ? divisor.shift : 62;
  return static_cast<int>(Clamp(RoundingShiftRight(product, shift), lo, hi));
}

// The attention output without a division (U8, AGQ): N1 = RSH(N, pre_shift), then RQ32. The loader proves |N1| < 2^31;
// the clamp follows in s64, so that nothing need be proved of the product.
static constexpr int ScaledOutputValue(int64_t n, int pre_shift, int32_t mult, int shift, int lo, int hi) {
  return static_cast<int>(Clamp(RoundingShiftRight(RoundingShiftRight(n, pre_shift) * mult, shift), lo, hi));
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NUMERICS_SOFTMAX_H_
