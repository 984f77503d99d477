// The requantizations of docs/numerics.md section 2 against wide integers, and the error bounds stated there against
// real arithmetic.
#include "kernels/numerics/requantize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/harness.h"
#include "tests/wide.h"

namespace intsam::internal {
namespace {

using test::Int128;
using test::Random;

TEST(Requantize32, EqualsWideArithmetic) {
  Random random(1);
  for (int i = 0; i < 300000; ++i) {
    const int32_t mult = static_cast<int32_t>(random.Chance(8) ? INT32_MAX : random.In(1 << 30, INT32_MAX));
    const int shift = static_cast<int>(random.In(1, 62));
    const int32_t acc = random.Chance(8) ? INT32_MIN : static_cast<int32_t>(random.Wide(INT32_MAX));
    const Int128 nearest = (Int128{acc} * mult + (Int128{1} << (shift - 1))) >> shift;
    ASSERT_EQ(Requantize32(acc, mult, shift), static_cast<int64_t>(nearest)) << acc << " " << mult << " " << shift;
  }
}

TEST(Requantize32, IsWithinHalfOfTheRealProduct) {
  Random random(2);
  double worst = 0;
  for (int i = 0; i < 100000; ++i) {
    const double real = std::exp2(static_cast<double>(random.In(-14000, -7000)) / 1000);
    int exponent = 0;
    const int32_t mult = static_cast<int32_t>(std::llround(std::frexp(real, &exponent) * 2147483648.0) - 1);
    const int32_t acc =
        static_cast<int32_t>(std::clamp(static_cast<double>(random.In(-6000, 6000)) / real / 100, -1e9, 1e9));
    worst = std::max(worst, std::abs(static_cast<double>(Requantize32(acc, mult, 31 - exponent)) - acc * real));
  }
  EXPECT_LE(worst, 0.50001);
}

TEST(Requantize16, FollowsTheDefinitionStepByStep) {
  Random random(3);
  for (int i = 0; i < 300000; ++i) {
    const int p = static_cast<int>(random.In(0, 24)), k = static_cast<int>(random.In(0, 6));
    const int16_t mult = static_cast<int16_t>(random.In(1 << 14, 32767));
    const int32_t acc = static_cast<int32_t>(random.Wide(2147483647 - (1 << p) / 2));
    const int lo = static_cast<int>(random.In(0, 100)), hi = static_cast<int>(random.In(100, 255)),
              zero = static_cast<int>(random.In(lo, hi));
    const int64_t t = std::clamp<int64_t>(static_cast<int64_t>(std::floor(acc / std::exp2(p) + 0.5)), -32768, 32767);
    const int64_t y = static_cast<int64_t>(std::floor(static_cast<double>(t * mult) / 32768 + 0.5));
    ASSERT_EQ(Requantize16Wide(acc, mult, p), y);
    const int64_t biased = std::clamp<int64_t>(y + zero * (1 << k) + (1 << k) / 2, -32768, 32767);
    const int64_t code =
        std::clamp<int64_t>(static_cast<int64_t>(std::floor(static_cast<double>(biased) / (1 << k))), lo, hi);
    ASSERT_EQ(Requantize16(acc, mult, p, k, zero, lo, hi), code) << acc << " " << p << " " << mult << " " << k;
    ASSERT_EQ(Requantize16Short(static_cast<int16_t>(t), mult, k, zero, lo, hi), code);
  }
}

struct ErrorOfSite {
  double worst;
  double not_nearest;  // share of codes that differ from the nearest
};

// A channel whose multiplier is M = m * 2^-(15+p+k), and accumulators whose codes stay inside the range.
ErrorOfSite MeasureRequantize16(int k, int levels, double low, double high) {
  Random random(4);
  ErrorOfSite error{0, 0};
  constexpr int kSamples = 400000;
  for (int i = 0; i < kSamples; ++i) {
    const double real = std::exp2(low + (high - low) * static_cast<double>(random.In(0, 1000000)) / 1e6);
    const int e = static_cast<int>(std::floor(std::log2(real)));
    const int64_t mult = std::min<int64_t>(std::llround(std::ldexp(real, 14 - e)), 32767);
    const int zero = levels / 2;
    const double code = static_cast<double>(random.In(500, levels * 1000 - 1500)) / 1000;
    const int32_t acc = static_cast<int32_t>(std::lround((code - zero) / real));
    const double exact = acc * real + zero;
    const int got = Requantize16(acc, static_cast<int16_t>(mult), -e - 1 - k, k, zero, 0, levels - 1);
    error.worst = std::max(error.worst, std::abs(got - exact));
    error.not_nearest += got != std::floor(exact + 0.5);
  }
  error.not_nearest /= kSamples;
  return error;
}

TEST(Requantize16, KeepsItsErrorBound) {
  const ErrorOfSite eight = MeasureRequantize16(6, 256, -14, -7);
  EXPECT_LE(eight.worst, 0.5 + 3.0 / 128);
  EXPECT_LE(eight.worst, 0.52);
  EXPECT_LE(eight.not_nearest, 0.012);
  const ErrorOfSite four = MeasureRequantize16(4, 16, -9, -6);
  EXPECT_LE(four.worst, 0.5 + 3.0 / 32);
}

TEST(Requantize16Wide, KeepsItsErrorBound) {
  Random random(5);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    const int p = static_cast<int>(random.In(0, 16));
    const int16_t mult = static_cast<int16_t>(random.In(1 << 14, 32767));
    const double real = std::ldexp(mult, -15 - p);
    const int32_t acc = static_cast<int32_t>(static_cast<double>(random.In(-16383, 16383)) / real);
    worst = std::max(worst, std::abs(Requantize16Wide(acc, mult, p) - acc * real));
  }
  EXPECT_LE(worst, 1.06);
}

}  // namespace
}  // namespace intsam::internal
