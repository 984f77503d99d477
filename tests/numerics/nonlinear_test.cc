// GELU, exp2, log2 and sine (docs/numerics.md sections 5, 6 and 10) over their whole domains against floating point,
// and their tables against the sums and entries the document states.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "kernels/numerics/gelu.h"
#include "kernels/numerics/sine.h"
#include "kernels/numerics/softmax.h"

namespace intsam::internal {
namespace {

double RealGelu(double x) { return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)); }

TEST(Gelu, KeepsItsErrorBoundForEveryInput) {
  const double bounds[] = {1.05e-3, 5.5e-4, 3.2e-4, 2.1e-4};  // e = 9..12
  for (int e = 9; e <= 12; ++e) {
    double worst = 0;
    for (int x = -32768; x <= 32767; ++x) {
      const double real = RealGelu(std::ldexp(x, -e));
      worst = std::max(worst, std::abs(std::ldexp(GeluWide(static_cast<int16_t>(x), e), -e) - real));
    }
    EXPECT_LE(worst, bounds[e - 9]) << "e " << e;
  }
}

TEST(Gelu, IsExactOutsideTheTable) {
  for (int e = 9; e <= 12; ++e) {
    EXPECT_EQ(GeluWide(0, e), 0);
    EXPECT_EQ(GeluWide(-32768, e), 0);
    EXPECT_EQ(GeluWide(32767, e), 32767);
    EXPECT_EQ(GeluWide(static_cast<int16_t>(4 << e), e), 4 << e);
    EXPECT_EQ(GeluWide(static_cast<int16_t>(-(4 << e)), e), 0);
  }
}

TEST(Exp2, KeepsItsErrorBoundAndNeverRises) {
  EXPECT_EQ(Exp2Negative(0), 32767);
  EXPECT_EQ(Exp2Negative(16 * 2048 - 1), 1);
  EXPECT_EQ(Exp2Negative(16 * 2048), 0);
  EXPECT_EQ(Exp2Negative(65535), 0);
  double worst = 0;
  for (int t = 0; t <= 65535; ++t) {
    const int e = Exp2Negative(static_cast<uint16_t>(t));
    worst = std::max(worst, std::abs(e / 32767.0 - std::exp2(-t / 2048.0)));
    if (t > 0) {
      ASSERT_LE(e, Exp2Negative(static_cast<uint16_t>(t - 1))) << t;
    }
  }
  EXPECT_LE(worst, 1.2310e-4);
}

TEST(Log2, TableIsTheStatedOne) {
  EXPECT_EQ(kLog2Table[0], 0);
  EXPECT_EQ(kLog2Table[1], 46);
  EXPECT_EQ(kLog2Table[32], 1198);
  EXPECT_EQ(kLog2Table[64], 2048);
  EXPECT_EQ(std::accumulate(kLog2Table.begin(), kLog2Table.end(), 0), 74070);
  for (size_t j = 0; j < kLog2Table.size(); ++j)
    EXPECT_EQ(kLog2Table[j], std::lround(2048 * std::log2(1 + static_cast<double>(j) / 64)));
}

TEST(Log2, KeepsItsErrorBoundAndNeverFalls) {
  double worst = 0;
  int32_t previous = 0;
  for (uint64_t s = 1; s < uint64_t{1} << 31; s += 1 + s / 3001) {
    const int32_t got = Log2(static_cast<uint32_t>(s));
    worst = std::max(worst, std::abs(got / 2048.0 - std::log2(static_cast<double>(s))));
    ASSERT_GE(got, previous) << s;
    previous = got;
  }
  // Half a Q11 unit for the table, half for the interpolation, and the curvature of a 64th: 1.4427 / (8 * 64^2).
  EXPECT_LE(worst, 1.0 / 2048 + 4.5e-5);
  for (int n = 0; n <= 31; ++n) EXPECT_EQ(Log2(uint32_t{1} << n), n * 2048);
}

TEST(Sine, TableIsTheStatedOne) {
  EXPECT_EQ(kSineTable[0], 0);
  EXPECT_EQ(kSineTable[1], 201);
  EXPECT_EQ(kSineTable[64], 12539);
  EXPECT_EQ(kSineTable[128], 23170);
  EXPECT_EQ(kSineTable[256], 32767);
  EXPECT_EQ(std::accumulate(kSineTable.begin(), kSineTable.end(), 0), 5356550);
  for (size_t i = 0; i < kSineTable.size(); ++i) {
    EXPECT_EQ(kSineTable[i], std::lround(32767 * std::sin(std::numbers::pi * static_cast<double>(i) / 512)));
  }
}

TEST(Sine, KeepsItsErrorBoundAndItsSymmetries) {
  double worst = 0, square = 0;
  int count = 0;
  for (uint64_t phase = 0; phase < uint64_t{1} << 32; phase += 40503, ++count) {
    const uint32_t p = static_cast<uint32_t>(phase);
    const double error = Sine(p) / 32767.0 - std::sin(2 * std::numbers::pi * std::ldexp(p, -32));
    worst = std::max(worst, std::abs(error));
    square += error * error;
    ASSERT_EQ(Sine(p), -Sine(p + (1u << 31)));
    ASSERT_EQ(Sine(p), Sine((1u << 31) - p));
  }
  EXPECT_LE(worst, 3.3e-5);
  EXPECT_LE(std::sqrt(square / count), 1.25e-5);
  EXPECT_EQ(Sine(0), 0);
  EXPECT_EQ(Sine(1u << 30), 32767);
  EXPECT_EQ(Sine(3u << 30), -32767);
}

}  // namespace
}  // namespace intsam::internal
