// The primitives every integer formula of intsam is spelled with (docs/numerics.md, section 0).
//
// There is one rounding rule: half toward +infinity, by adding half and shifting. Right shifts of negative values are
// arithmetic, divisions floor. Each function states its domain; inside it no intermediate overflows.
//
// Everything in kernels/numerics has internal linkage on purpose: the same header is compiled into sources with
// different instruction-set flags, and a shared inline definition could let the linker keep the copy that the running
// CPU cannot execute.
#ifndef INTSAM_KERNELS_NUMERICS_FIXED_POINT_H_
#define INTSAM_KERNELS_NUMERICS_FIXED_POINT_H_

#include <bit>
#include <cstdint>

namespace intsam::internal {

inline constexpr int32_t kR24Max = (1 << 23) - 1;

// CL(x, lo, hi), lo <= hi.
static constexpr int64_t Clamp(int64_t x, int64_t lo, int64_t hi) { return x < lo ? lo : x > hi ? hi : x; }

// RSH(x, s), s in 0..62, |x| + 2^(s-1) < 2^63.
static constexpr int64_t RoundingShiftRight(int64_t x, int s) {
  return s == 0 ? x : (x + (int64_t{1} << (s - 1))) >> s;
}

// x * 2^s: a left shift that is also defined for negative x. The product fits s64.
static constexpr int64_t ShiftLeft(int64_t x, int s) { return x * (int64_t{1} << s); }

// floor(n / d), d > 0.
static constexpr int64_t FloorDivide(int64_t n, int64_t d) { return n / d - (n % d < 0 ? 1 : 0); }

// FDR(n, d) = floor((2n + d) / (2d)), d > 0, |n| and d at most 2^61.
static constexpr int64_t FloorDivideRound(int64_t n, int64_t d) { return FloorDivide(2 * n + d, 2 * d); }

// SAT16(x).
static constexpr int16_t Saturate16(int64_t x) { return static_cast<int16_t>(Clamp(x, -32768, 32767)); }

// C24(x): the range of the residual stream, symmetric.
static constexpr int32_t Clamp24(int64_t x) { return static_cast<int32_t>(Clamp(x, -kR24Max, kR24Max)); }

// MRS(a, b) = (a*b + 2^14) >> 15, a and b s16, never both -32768. PMULHRSW.
static constexpr int16_t MulRoundHigh(int16_t a, int16_t b) {
  return static_cast<int16_t>((int32_t{a} * b + (1 << 14)) >> 15);
}

// MHU(a, b) = (a*b) >> 16. PMULHUW.
static constexpr uint16_t MulHigh(uint16_t a, uint16_t b) { return static_cast<uint16_t>((uint32_t{a} * b) >> 16); }

// BL(x), the number of bits of x; BL(1) = 1, BL(0) = 0.
static constexpr int BitLength(uint64_t x) { return static_cast<int>(std::bit_width(x)); }

// The largest r with r*r <= x, one binary digit at a time.
static constexpr uint32_t IntegerSqrtByDigits(uint64_t x) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << ((BitLength(x | 1) - 1) & ~1); bit != 0; bit >>= 2) {
    const bool digit = x >= root + bit;
    if (digit) x -= root + bit;
    root = (root >> 1) + (digit ? bit : 0);
  }
  return static_cast<uint32_t>(root);
}

// 2^14 / sqrt(v) in the middle of v = i/256..(i + 1)/256, i from 64 on.
struct InverseRoots {
  uint16_t at[192];
};
static constexpr InverseRoots MakeInverseRoots() {
  InverseRoots roots{};
  for (uint32_t i = 0; i < 192; ++i) {
    roots.at[i] = static_cast<uint16_t>(IntegerSqrtByDigits((uint64_t{512} << 28) / (2 * (i + 64) + 1)));
  }
  return roots;
}
inline constexpr InverseRoots kInverseRoots = MakeInverseRoots();

// The largest r with r*r <= x: 1/sqrt(x) from a table and two of Newton's steps, y (3 - x y^2) / 2, is so near that r
// is a step or two away at most. Every row of a LayerNorm takes a root.
static constexpr uint32_t IntegerSqrt(uint64_t x) {
  if (x == 0) return 0;
  const int n = (BitLength(x) + 1) & ~1;
  const uint64_t v = n > 32 ? x >> (n - 32) : x << (32 - n);      // x * 2^(32-n), in 2^30..2^32-1
  uint64_t y = uint64_t{kInverseRoots.at[(v >> 24) - 64]} << 16;  // 2^30 / sqrt(v * 2^-32), at most 2^31
  for (int step = 0; step < 2; ++step) y = y * ((uint64_t{3} << 30) - ((y * y >> 30) * v >> 32)) >> 31;
  uint64_t root = v * y >> (62 - n / 2);
  if (root > UINT32_MAX) root = UINT32_MAX;
  while (root * root > x) --root;
  while (x - root * root > 2 * root) ++root;
  return static_cast<uint32_t>(root);
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NUMERICS_FIXED_POINT_H_
