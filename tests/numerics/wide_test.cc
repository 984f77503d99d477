// The 128-bit integers that 32-bit targets check against: equal to the compiler's where there are any, and everywhere
// consistent with themselves.
#include "tests/wide.h"

#include <gtest/gtest.h>

#include "tests/kernels/harness.h"

namespace intsam::internal::test {
namespace {

TEST(Wide, DivisionInvertsMultiplication) {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const Wide a = random.Wide(INT64_MAX), b = random.Wide(INT64_MAX);
    if (b == 0) continue;
    ASSERT_TRUE(a * b / b == a && b * a / b == a && (a << 37) / (Wide{1} << 37) == a && ((a << 64) >> 64) == a);
    const Wide rest = a - a / b * b;
    ASSERT_TRUE(rest == 0 || (rest < 0) == (a < 0));
    ASSERT_TRUE((rest < 0 ? -rest : rest) < (b < 0 ? -b : b));
  }
}

#ifdef __SIZEOF_INT128__
Wide Sample(Random& random) {
  const Wide high = random.Wide(INT64_MAX);
  return random.Chance(3) ? Wide(random.Wide(INT64_MAX)) : (high << 64) + random.Wide(INT64_MAX);
}

Int128 Native(Wide x) { return Int128{static_cast<int64_t>(x >> 64)} * (Int128{1} << 64) + static_cast<uint64_t>(x); }

TEST(Wide, EqualsTheCompilersIntegers) {
  Random random(2);
  for (int i = 0; i < 20000; ++i) {
    const Wide a = Sample(random), b = Sample(random);
    const Int128 x = Native(a), y = Native(b);
    const int shift = static_cast<int>(random.In(0, 127));
    __extension__ typedef unsigned __int128 Unsigned;  // wraps
    const auto ux = static_cast<Unsigned>(x), uy = static_cast<Unsigned>(y);
    ASSERT_TRUE(Native(a + b) == static_cast<Int128>(ux + uy) && Native(a - b) == static_cast<Int128>(ux - uy));
    ASSERT_TRUE(Native(a * b) == static_cast<Int128>(ux * uy));
    ASSERT_TRUE(Native(a << shift) == static_cast<Int128>(ux << shift) && Native(a >> shift) == x >> shift) << shift;
    ASSERT_TRUE((a < b) == (x < y) && (a == b) == (x == y) && (a >= b) == (x >= y));
    ASSERT_TRUE(y == 0 || Native(a / b) == x / y);
    ASSERT_EQ(static_cast<int>(a), static_cast<int>(x));
  }
}
#endif

}  // namespace
}  // namespace intsam::internal::test
