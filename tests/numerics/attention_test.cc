// The attention formulas of docs/numerics.md section 6 against their definitions and against floating point: distance,
// the probability codes U8 and AGQ, the whole E16 softmax, and the division at the output.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "kernels/numerics/softmax.h"
#include "runtime/ops/ops.h"
#include "tests/kernels/harness.h"
#include "tests/wide.h"

namespace intsam::internal {
namespace {

using test::Int128;
using test::Random;

TEST(LogDistance, FloorsInsideAndSaturatesToInfinitelyFar) {
  Random random(1);
  for (int p = -15; p <= 15; ++p) {
    const int64_t unit = p >= 0 ? int64_t{1} << p : 1;
    const int64_t widest = 65535 >> (p < 0 ? -p : 0);
    for (int i = 0; i < 20000; ++i) {
      const uint16_t mult = static_cast<uint16_t>(random.Chance(4) ? 65535 : random.In(1 << 15, 65535));
      const int64_t near = std::clamp<int64_t>(widest * unit + random.In(-3 * unit, 3 * unit), 0, UINT32_MAX);
      const int64_t u = random.Chance(3)   ? near
                        : random.Chance(3) ? random.In(0, widest * unit - 1)
                                           : std::abs(random.Wide(UINT32_MAX));
      const uint16_t t = LogDistance(static_cast<uint32_t>(u), p, mult);
      if (u / unit >= widest) {
        ASSERT_EQ(t, 65535) << "u " << u << " p " << p;
      } else {
        ASSERT_EQ(t, u / unit * (int64_t{1} << (p < 0 ? -p : 0)) * mult / 65536) << "u " << u << " p " << p;
      }
    }
    EXPECT_EQ(LogDistance(0, p, 65535), 0);
    EXPECT_EQ(LogDistance(UINT32_MAX, p, 1 << 15), 65535);
  }
}

// The converter's rule: log2(e) per logit unit = mult * 2^-(27 + p).
struct LogitScale {
  int shift;
  uint16_t mult;
};
LogitScale LogitScaleOf(double log2_per_unit) {
  int exponent = 0;
  const double mantissa = std::frexp(log2_per_unit, &exponent);
  return {-11 - exponent, static_cast<uint16_t>(std::min(65535L, std::lround(mantissa * 65536)))};
}

TEST(Softmax, StaysCloseToTheRealOne) {
  std::mt19937_64 engine(2);
  const struct {
    int count;
    double deviation, bound;
  } cases[] = {{196, 1, 1.8e-4}, {4096, 0.3, 1.8e-4}, {4096, 3, 3.5e-3}};
  for (const auto& c : cases) {
    const double log2_per_unit = 6.3e-4;
    const LogitScale scale = LogitScaleOf(log2_per_unit);
    std::normal_distribution<double> normal(0, c.deviation / std::numbers::ln2 / log2_per_unit);
    std::normal_distribution<double> unit;
    double error = 0, reference = 0;
    for (int row = 0; row < 24; ++row) {
      std::vector<int32_t> logits;
      for (int j = 0; j < c.count; ++j) logits.push_back(static_cast<int32_t>(std::lround(normal(engine))));
      const int32_t maximum = *std::max_element(logits.begin(), logits.end());
      double real_sum = 0, sum = 0, real_mix[8] = {}, mix[8] = {};
      for (int32_t logit : logits) {
        const uint32_t u = static_cast<uint32_t>(maximum - logit);
        const double real = std::exp2(-log2_per_unit * u), e = Exp2Negative(LogDistance(u, scale.shift, scale.mult));
        real_sum += real;
        sum += e;
        for (int i = 0; i < 8; ++i) {
          const double value = unit(engine);
          real_mix[i] += real * value;
          mix[i] += e * value;
        }
      }
      for (int i = 0; i < 8; ++i) {
        error += std::pow(mix[i] / sum - real_mix[i] / real_sum, 2);
        reference += std::pow(real_mix[i] / real_sum, 2);
      }
    }
    EXPECT_LE(std::sqrt(error / reference), c.bound) << c.count << " keys, deviation " << c.deviation;
  }
}

TEST(AttentionOutput, IsTheNearestCode) {
  Random random(3);
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    const double real = std::exp2(static_cast<double>(random.In(-2000, 2000)) / 1000);
    int exponent = 0;
    const int32_t mult =
        static_cast<int32_t>(std::min<int64_t>(std::llround(std::frexp(real, &exponent) * 2147483648.0), INT32_MAX));
    const uint32_t sum =
        static_cast<uint32_t>(random.Chance(3) ? random.In(32767, 65536) : random.In(32767, INT32_MAX));
    const double limit = std::min(128.0, 126.4 / real);
    const int64_t n = static_cast<int64_t>(static_cast<double>(random.In(-1000000, 1000000)) / 1e6 * limit * sum);
    const int code = AttentionOutputValue(n, AttentionDivisorOf(sum, mult, 31 - exponent), -127, 127);
    worst = std::max(worst, std::abs(code - static_cast<double>(n) / sum * real));
  }
  EXPECT_LE(worst, 0.50005);
}

TEST(AttentionOutput, FollowsTheDefinitionInWideArithmetic) {
  Random random(4);
  for (int i = 0; i < 300000; ++i) {
    const int bits = static_cast<int>(random.In(1, 31));
    const int64_t sum = random.In(int64_t{1} << (bits - 1), (int64_t{1} << bits) - 1);
    const int64_t n = random.Wide(128 * sum);
    const int32_t mult = static_cast<int32_t>(random.In(1 << 30, INT32_MAX));
    const int shift = static_cast<int>(random.In(1, 62));
    const Int128 rm = std::min<Int128>((Int128{1} << 61) / (Int128{sum} << (31 - bits)), INT32_MAX);
    const Int128 rmo = (rm * mult + (1 << 30)) >> 31;
    const int h = std::max(0, bits - 22);
    const Int128 n1 = h == 0 ? Int128{n} : (Int128{n} + (Int128{1} << (h - 1))) >> h;
    const int total = shift + bits - 1 - h;  // up to 83
    const Int128 value = (n1 * rmo + (Int128{1} << (total - 1))) >> total;
    ASSERT_EQ(AttentionOutputValue(n, AttentionDivisorOf(static_cast<uint32_t>(sum), mult, shift), -127, 127),
              static_cast<int>(std::clamp<Int128>(value, -127, 127)))
        << "n " << n << " sum " << sum << " mult " << mult << " shift " << shift;
  }
}

TEST(ScaledOutput, FollowsTheDefinitionInWideArithmetic) {
  Random random(7);
  for (int i = 0; i < 300000; ++i) {
    const int pre = static_cast<int>(random.In(0, 15)), shift = static_cast<int>(random.In(1, 62));
    const int64_t n = random.Wide(int64_t{INT32_MAX} << pre);
    const int32_t mult = static_cast<int32_t>(random.In(1 << 30, INT32_MAX));
    const Int128 n1 = pre == 0 ? Int128{n} : (Int128{n} + (Int128{1} << (pre - 1))) >> pre;
    const Int128 value = (n1 * mult + (Int128{1} << (shift - 1))) >> shift;
    ASSERT_EQ(ScaledOutputValue(n, pre, mult, shift, -127, 127), static_cast<int>(std::clamp<Int128>(value, -127, 127)))
        << "n " << n << " pre_shift " << pre << " mult " << mult << " shift " << shift;
  }
}

TEST(Agq, DecodesPowersOfTwo) {
  EXPECT_EQ(AgqDecode(0, 0, 4), 32767);
  EXPECT_EQ(AgqDecode(1, 1, 4), 23170);
  EXPECT_EQ(AgqDecode(1, 2, 4), 27554);
  EXPECT_EQ(AgqDecode(3, 2, 4), 19483);
  for (int r = 0; r < 16; ++r) EXPECT_EQ(kPowers16[r], std::lround(32767 * std::exp2(-r / 16.0))) << r;
  for (int bits = 2; bits <= 8; ++bits) {
    for (int kt = 0; kt <= 4; ++kt) {
      EXPECT_EQ(AgqDecode(1 << bits, kt, bits), 0);
      for (int code = 0; code < 1 << bits; ++code) {
        // The mantissa and the shift each round once.
        EXPECT_LE(std::abs(AgqDecode(code, kt, bits) - 32767 * std::exp2(-std::ldexp(code, -kt))), 1.001)
            << code << " " << kt;
      }
    }
  }
}

TEST(Agq, CodeIsTheNearestLevelOfTheProbability) {
  Random random(5);
  for (int i = 0; i < 200000; ++i) {
    const int bits = static_cast<int>(random.In(2, 8)), kt = static_cast<int>(random.In(0, 4));
    const uint32_t sum = static_cast<uint32_t>(random.In(32767, 1 << 28));
    const int32_t log2_scale = static_cast<int32_t>(random.In(-12 * 2048, 4096));
    const uint16_t t = static_cast<uint16_t>(random.In(0, 65535));
    // -log2(p / s) * tau, where p = 2^-t * 2^15 / S; the only error is that of lg2 and the last rounding.
    const double level = (t / 2048.0 + std::log2(sum) - 15 + log2_scale / 2048.0) * (1 << kt);
    const int code = AgqCode(t, AgqRowTerm(sum, log2_scale), kt, bits);
    ASSERT_LE(std::abs(code - std::clamp(level, 0.0, std::exp2(bits))), 0.5 + 5.4e-4 * (1 << kt)) << t << " " << sum;
  }
  // An infinitely far key is zero under the smallest scale and the smallest sum.
  for (int kt = 0; kt <= 4; ++kt) {
    for (int bits = 2; bits <= 8; ++bits)
      EXPECT_EQ(AgqDecode(AgqCode(65535, AgqRowTerm(32767, -32767), kt, bits), kt, bits), 0) << kt << " " << bits;
  }
  EXPECT_EQ(AgqCode(1024, 0, 0, 4), 1);  // half goes toward the larger code, that is the smaller probability
  EXPECT_EQ(AgqCode(1023, 0, 0, 4), 0);
  EXPECT_EQ(AgqCode(65535, 0, 0, 4), 16);
  EXPECT_EQ(AgqCode(0, -99999, 2, 8), 0);
}

TEST(UniformCode, IsNearTheQuotient) {
  Random random(6);
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    const int bits = static_cast<int>(random.In(2, 8)), top = (1 << bits) - 1;
    const double inverse_scale = top * std::exp2(static_cast<double>(random.In(0, 3000)) / 1000);
    int exponent = 0;
    const uint16_t mult =
        static_cast<uint16_t>(std::min(65535L, std::lround(std::frexp(inverse_scale, &exponent) * 65536)));
    const uint32_t sum = static_cast<uint32_t>(random.In(32767, 1 << 22));
    const uint16_t e = static_cast<uint16_t>(random.In(0, 32767));
    const double exact = std::min<double>(top, static_cast<double>(e) / sum * inverse_scale);
    worst = std::max(worst, std::abs(UniformCode(e, UniformRowOf(sum, mult, 16 - exponent), bits) - exact));
  }
  EXPECT_LE(worst, 0.53);
}

// 16 bits of value in, 16 bits out, in the same unit (the multiplier is that of 256 units).
TEST(AttentionWords, AreNearTheQuotient) {
  Random random(7);
  Softmax softmax;
  softmax.mix = {1 << 30, 22};
  double worst = 0;
  for (int i = 0; i < 100000; ++i) {
    const int32_t sum = static_cast<int32_t>(random.In(32767, i % 2 == 0 ? 1 << 18 : INT32_MAX));
    const double exact = static_cast<double>(random.In(-32639000, 32639000)) / 1000;
    const int64_t n = std::llround(exact * sum);
    int16_t y = 0;
    ops::AttentionWords(softmax, &n, &sum, 1, 1, {&y, 1});
    worst = std::max(worst, std::abs(y - exact));
  }
  EXPECT_LE(worst, 0.52);
  const int32_t sum = 32767;
  for (const int64_t value : {-32639, -1, 0, 1, 32639}) {
    const int64_t n = value * sum;
    int16_t y = 0;
    ops::AttentionWords(softmax, &n, &sum, 1, 1, {&y, 1});
    EXPECT_EQ(y, value);
  }
}

// A scale so small that even the smallest probability saturates: the left-shift branch.
TEST(UniformCode, SaturatesUnderTinyScales) {
  const UniformRow row = UniformRowOf(32767, 1 << 15, -30);
  EXPECT_LT(row.shift, 0);
  EXPECT_EQ(UniformCode(32767, row, 8), 255);
  EXPECT_EQ(UniformCode(2, row, 4), 15);
  EXPECT_EQ(UniformCode(0, row, 8), 0);
}

}  // namespace
}  // namespace intsam::internal
