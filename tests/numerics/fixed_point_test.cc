// The primitives of docs/numerics.md section 0 against 128-bit arithmetic, exhaustively where the domain allows it.
#include "kernels/numerics/fixed_point.h"

#include <gtest/gtest.h>

#include "tests/kernels/harness.h"
#include "tests/wide.h"

namespace intsam::internal {
namespace {

using test::Int128;
using test::Random;

// floor(n / d) by definition: the largest q with q * d <= n.
Int128 Floor(Int128 n, Int128 d) {
  Int128 q = n / d;
  while (q * d > n) --q;
  return q;
}

TEST(FixedPoint, RoundingShiftRightIsNearestWithTiesUp) {
  EXPECT_EQ(RoundingShiftRight(-1, 1), 0);
  EXPECT_EQ(RoundingShiftRight(-3, 1), -1);
  EXPECT_EQ(RoundingShiftRight(3, 1), 2);
  for (int s = 0; s <= 12; ++s) {
    for (int64_t x = -20000; x <= 20000; ++x) {
      ASSERT_EQ(RoundingShiftRight(x, s), static_cast<int64_t>(Floor(Int128{2} * x + (Int128{1} << s), Int128{2} << s)))
          << x << " " << s;
    }
  }
  Random random(1);
  for (int i = 0; i < 200000; ++i) {
    const int s = static_cast<int>(random.In(0, 62));
    const int64_t x = random.Wide(INT64_MAX - (s == 0 ? 0 : int64_t{1} << (s - 1)));
    ASSERT_EQ(RoundingShiftRight(x, s), static_cast<int64_t>(Floor(Int128{2} * x + (Int128{1} << s), Int128{2} << s)))
        << x << " " << s;
  }
}

TEST(FixedPoint, ShiftLeftMultiplies) {
  for (int s = 0; s <= 30; ++s) {
    for (int64_t x : {-(int64_t{1} << 32), int64_t{-5}, int64_t{0}, int64_t{7}}) {
      EXPECT_EQ(Int128{ShiftLeft(x, s)}, Int128{x} * (Int128{1} << s));
    }
  }
}

TEST(FixedPoint, Divisions) {
  for (int64_t d = 1; d <= 70; ++d) {
    for (int64_t n = -500; n <= 500; ++n) {
      ASSERT_EQ(FloorDivide(n, d), static_cast<int64_t>(Floor(n, d))) << n << "/" << d;
      ASSERT_EQ(FloorDivideRound(n, d), static_cast<int64_t>(Floor(2 * n + d, 2 * d))) << n << "/" << d;
    }
  }
  Random random(2);
  for (int i = 0; i < 100000; ++i) {
    const int64_t n = random.Wide(int64_t{1} << 61), d = std::abs(random.Wide((int64_t{1} << 61) - 1)) + 1;
    ASSERT_EQ(FloorDivideRound(n, d), static_cast<int64_t>(Floor(Int128{2} * n + d, Int128{2} * d))) << n << "/" << d;
  }
}

TEST(FixedPoint, Clamps) {
  EXPECT_EQ(Saturate16(32767), 32767);
  EXPECT_EQ(Saturate16(32768), 32767);
  EXPECT_EQ(Saturate16(-32768), -32768);
  EXPECT_EQ(Saturate16(-32769), -32768);
  EXPECT_EQ(Saturate16(INT64_MAX), 32767);
  EXPECT_EQ(Saturate16(INT64_MIN), -32768);
  EXPECT_EQ(Clamp24(8388607), 8388607);
  EXPECT_EQ(Clamp24(8388608), 8388607);
  EXPECT_EQ(Clamp24(-8388607), -8388607);
  EXPECT_EQ(Clamp24(-8388608), -8388607);
  EXPECT_EQ(Clamp24(INT64_MIN), -8388607);
  EXPECT_EQ(Clamp(5, 7, 9), 7);
  EXPECT_EQ(Clamp(8, 7, 9), 8);
  EXPECT_EQ(Clamp(10, 7, 9), 9);
}

// Every a against a dense set of b that holds all edges: 65536 * 300 products.
TEST(FixedPoint, MulRoundHigh) {
  for (int b = -32768; b <= 32767; b += (b < -32700 || b > 32600 || std::abs(b) < 60) ? 1 : 1361) {
    int64_t wrong = 0;
    for (int a = -32768; a <= 32767; ++a) {
      if (a == -32768 && b == -32768) continue;
      const int64_t product = int64_t{a} * b;
      const int64_t nearest = product >= 0 ? (product + 16384) / 32768 : -((-product + 16383) / 32768);  // ties up
      wrong += MulRoundHigh(static_cast<int16_t>(a), static_cast<int16_t>(b)) != nearest;
    }
    ASSERT_EQ(wrong, 0) << "b " << b;
  }
}

TEST(FixedPoint, MulHigh) {
  for (uint32_t b = 0; b <= 65535; b += (b < 60 || b > 65400) ? 1 : 977) {
    int64_t wrong = 0;
    for (uint32_t a = 0; a <= 65535; ++a)
      wrong += MulHigh(static_cast<uint16_t>(a), static_cast<uint16_t>(b)) != uint64_t{a} * b / 65536;
    ASSERT_EQ(wrong, 0) << "b " << b;
  }
}

TEST(FixedPoint, BitLength) {
  EXPECT_EQ(BitLength(0), 0);
  for (int n = 1; n <= 64; ++n) {
    const uint64_t low = uint64_t{1} << (n - 1);
    EXPECT_EQ(BitLength(low), n);
    EXPECT_EQ(BitLength(low | (low - 1)), n);
  }
}

void CheckRoot(uint64_t x) {
  const Int128 r = IntegerSqrt(x);
  ASSERT_TRUE(r * r <= x && (r + 1) * (r + 1) > x) << x << " gave " << static_cast<uint64_t>(r);
}

TEST(FixedPoint, IntegerSqrtIsExact) {
  for (uint64_t x = 0; x < 70000; ++x) CheckRoot(x);
  for (uint64_t r = 1; r <= 0xffffffff; r += 1 + r / 97) {
    CheckRoot(r * r - 1);
    CheckRoot(r * r);
    CheckRoot(r * r + 2 * r);
  }
  CheckRoot(UINT64_MAX);
  Random random(3);
  for (int i = 0; i < 100000; ++i) CheckRoot(static_cast<uint64_t>(random.Wide(INT64_MAX)) & INT64_MAX);
}

}  // namespace
}  // namespace intsam::internal
