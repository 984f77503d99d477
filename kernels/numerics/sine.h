// Sine of a phase in turns, for the positional encodings (docs/numerics.md, section 10).
#ifndef INTSAM_KERNELS_NUMERICS_SINE_H_
#define INTSAM_KERNELS_NUMERICS_SINE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {
namespace numerics_internal {

// round(32767 * sin(pi*i/512)), i = 0..256, from the Taylor series in Q31. Every term is rounded once, so the series is
// good to a few units of 2^-31, that is 1e-4 of the result's last place; no entry is that close to a tie.
static constexpr std::array<int16_t, 257> MakeSineTable() {
  constexpr int64_t kPiQ29 = 1686629713;  // pi * 2^29
  std::array<int16_t, 257> table{};
  for (int i = 0; i <= 256; ++i) {
    const int64_t x = RoundingShiftRight(kPiQ29 * i, 7);  // pi*i/512 in Q31, at most 1.58
    const int64_t x2 = RoundingShiftRight(x * (x >> 1), 30);
    int64_t term = x;
    int64_t sum = x;
    for (int n = 2; term > 1 || term < -1; n += 2) {
      term = -FloorDivideRound(RoundingShiftRight((term >> 1) * (x2 >> 1), 29), n * (n + 1));
      sum += term;
    }
    table[static_cast<size_t>(i)] = static_cast<int16_t>(RoundingShiftRight(sum * 32767, 31));
  }
  return table;
}

}  // namespace numerics_internal

inline constexpr std::array<int16_t, 257> kSineTable = numerics_internal::MakeSineTable();  // ST

// SIN(phase): 2^32 is one turn, 32767 is 1.
static constexpr int16_t Sine(uint32_t phase) {
  const uint32_t quadrant = phase >> 30;
  uint32_t a = phase & ((1u << 30) - 1);
  if (quadrant & 1) a = (1u << 30) - a;
  const uint32_t i = a >> 22;
  const int32_t r = static_cast<int32_t>((a & ((1u << 22) - 1)) >> 6);
  const int32_t low = kSineTable[i];
  const int32_t high = kSineTable[i < 256 ? i + 1 : 256];
  const int32_t v = low + (((high - low) * r + (1 << 15)) >> 16);
  return static_cast<int16_t>(quadrant & 2 ? -v : v);
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NUMERICS_SINE_H_
