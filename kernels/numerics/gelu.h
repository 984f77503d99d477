// GELU on s16 (docs/numerics.md, section 5): gelu(x) = max(x, 0) - g(|x|) with g(a) = a * Phi(-a) as 16 quadratic
// segments on 0..4 and zero beyond.
#ifndef INTSAM_KERNELS_NUMERICS_GELU_H_
#define INTSAM_KERNELS_NUMERICS_GELU_H_

#include <cstdint>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {

// GT[segment] = {c0, c1, c2}, unit 2^-16, argument 0..1 inside the segment.
inline constexpr int16_t kGeluTable[16][3] = {
    {1, 8177, -1605},     {6578, 4943, -1413}, {10114, 2102, -1080}, {11143, -61, -688},
    {10401, -1429, -320}, {8657, -2055, -37},  {6569, -2113, 138},   {4595, -1825, 212},
    {2982, -1393, 214},   {1802, -961, 177},   {1017, -607, 128},    {537, -353, 82},
    {265, -190, 48},      {123, -95, 26},      {53, -44, 13},        {22, -19, 6},
};

// x in units of 2^-e, 9 <= e <= 12; the result in the same unit. Any x.
static constexpr int16_t GeluWide(int16_t x, int e) {
  const int magnitude = x < 0 ? -int{x} : int{x};
  const int limit = 4 << e;
  const int inside = magnitude < limit ? magnitude : limit - 1;
  const int16_t* c = kGeluTable[inside >> (e - 2)];
  const int16_t u = static_cast<int16_t>((inside & ((1 << (e - 2)) - 1)) << (17 - e));  // Q15
  int16_t h = MulRoundHigh(c[2], u);
  h = MulRoundHigh(static_cast<int16_t>(h + c[1]), u);
  h = static_cast<int16_t>(h + c[0]);
  const int rounded = static_cast<int>(RoundingShiftRight(h, 16 - e));
  const int g = magnitude >= limit || rounded < 0 ? 0 : rounded;
  return static_cast<int16_t>((x > 0 ? x : 0) - g);
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NUMERICS_GELU_H_
