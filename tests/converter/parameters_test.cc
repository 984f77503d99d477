// Real multipliers to integers and back: the converter's mantissas and shifts inside the runtime's own formulas.
#include "converter/quantize/parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/numerics/layer_norm.h"
#include "kernels/numerics/requantize.h"
#include "kernels/numerics/softmax.h"
#include "runtime/exec/prepare.h"

namespace intsam {
namespace {

TEST(Parameters, Rq32IsExactToItsMantissa) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-28, 4);
  for (int i = 0; i < 20000; ++i) {
    const double multiplier = std::exp2(exponent(random));
    const Rq32Scalar rq = MakeRq32Scalar(multiplier);
    ASSERT_GE(rq.mult, 1 << 30);
    ASSERT_GE(rq.shift, 1u);
    ASSERT_LE(rq.shift, 62u);
    const int32_t acc = static_cast<int32_t>(random() % 2000000) - 1000000;
    const double exact = acc * multiplier;
    if (std::fabs(exact) > 1e9) continue;
    EXPECT_NEAR(static_cast<double>(Requantize32(acc, rq.mult, static_cast<int>(rq.shift))), exact,
                0.5001 + std::fabs(exact) * 5e-10);
  }
}

TEST(Parameters, Rq16StaysWithinItsBound) {
  TensorPool pool;
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> exponent(-14, -7);
  std::vector<double> multipliers(64);
  for (double& m : multipliers) m = std::exp2(exponent(random));
  const Codes codes{100, 0, 255};
  const Rq16 rq = MakeRq16(multipliers, codes, pool);
  EXPECT_EQ(rq.k, 6u);
  for (size_t c = 0; c < multipliers.size(); ++c) {
    for (int i = 0; i < 500; ++i) {
      const double target = static_cast<double>(random() % 25000) / 100 - 95;  // code minus zero point, inside 0..255
      const int32_t acc = static_cast<int32_t>(target / multipliers[c]);
      const double exact = acc * multipliers[c] + 100;
      if (exact < 0.5 || exact > 254.5) continue;
      const int code = Requantize16(acc, rq.mult[c], rq.shift[c], static_cast<int>(rq.k), 100, 0, 255);
      ASSERT_NEAR(code, exact, 0.5 + 3.0 / 128) << "channel " << c;
    }
  }
}

TEST(Parameters, DeadChannelsStayInRange) {
  TensorPool pool;
  const std::vector<double> multipliers = {1e-30, 1e-9, 0.02, 0.9, 5.0};
  const Rq16 narrow = MakeRq16(multipliers, {0, 0, 255}, pool);
  const Rq32 wide = MakeRq32(multipliers, pool);
  for (size_t c = 0; c < multipliers.size(); ++c) {
    EXPECT_GE(narrow.mult[c], 1 << 14);
    EXPECT_LE(narrow.shift[c], 24);
    EXPECT_GE(wide.mult[c], 1 << 30);
    EXPECT_GE(wide.shift[c], 1);
    EXPECT_LE(wide.shift[c], 62);
  }
}

TEST(Parameters, ScalesRepresentZero) {
  for (const auto& [lo, hi] : {std::pair<double, double>{-3, 5}, {0.5, 4}, {-4, -1}, {0, 0}, {-1e-12, 1e-12}}) {
    const Scale s = AsymmetricScale(lo, hi, 8);
    EXPECT_GT(s.scale, 0);
    EXPECT_LE(s.codes.zero, 255u);
    EXPECT_LE((s.codes.lo - static_cast<double>(s.codes.zero)) * s.scale, std::min(lo, 0.0) + s.scale);
    EXPECT_GE((s.codes.hi - static_cast<double>(s.codes.zero)) * s.scale, std::max(hi, 0.0) - s.scale);
  }
  const Scale s = SymmetricScale(12.7, 8);
  EXPECT_DOUBLE_EQ(s.scale, 0.1);
  EXPECT_EQ(s.codes.lo, 1u);
  EXPECT_EQ(s.codes.zero, 128u);
  EXPECT_EQ(s.codes.hi, 255u);
}

TEST(Parameters, NarrowNormMatchesTheRealOne) {
  constexpr int kChannels = 192;
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  std::vector<float> gamma(kChannels), beta(kChannels);
  for (int i = 0; i < kChannels; ++i)
    gamma[i] = static_cast<float>(std::exp(normal(random) * 0.5)), beta[i] = static_cast<float>(normal(random) * 0.3);
  const double unit = 2e-5, eps = 1e-6;
  const Scale out = AsymmetricScale(-8, 8, 8);
  TensorPool pool;
  const NormNarrow norm = MakeNormNarrow(gamma, beta, eps, unit, out, pool);
  std::vector<int32_t> x(kChannels);
  int64_t sum = 0;
  for (int32_t& v : x) sum += v = static_cast<int32_t>(normal(random) * 100000);
  const int32_t mean = LayerNormMean(sum, kChannels);
  int64_t squares = norm.epsilon;
  for (const int32_t v : x) squares += int64_t{v - mean} * (v - mean);
  const LayerNormScale16 scale = LayerNormScale16Of(LayerNormScaleOf(squares, SqrtQ16(kChannels)));
  double real_mean = 0, variance = 0;
  for (const int32_t v : x) real_mean += v * unit / kChannels;
  for (const int32_t v : x) variance += (v * unit - real_mean) * (v * unit - real_mean) / kChannels;
  for (int i = 0; i < kChannels; ++i) {
    const double exact =
        ((x[i] * unit - real_mean) / std::sqrt(variance + eps) * gamma[i] + beta[i]) / out.scale + out.codes.zero;
    if (exact < 0 || exact > 255) continue;
    const int code =
        LayerNormNarrowCode(x[i] - mean, scale, norm.gain[i], norm.bias[i], static_cast<int>(norm.k), 0, 255);
    EXPECT_NEAR(code, exact, 0.65) << i;
  }
}

TEST(Parameters, SoftmaxUnitsAgreeWithExp) {
  for (const double unit : {1e-5, 6.3e-4, 0.01, 0.3}) {
    const Softmax softmax = MakeSoftmax({}, unit, 1, 1, 1);
    for (uint32_t distance = 0; distance * unit < 8; distance += 1 + static_cast<uint32_t>(0.05 / unit)) {
      const uint16_t t = LogDistance(distance, softmax.shift, static_cast<uint16_t>(softmax.mult));
      EXPECT_NEAR(Exp2Negative(t) / 32767.0, std::exp(-(distance * unit)), 6e-4) << unit << " " << distance;
    }
  }
}

TEST(Parameters, UnitsSurvive) {
  for (const double unit : {1e-9, 2.5e-4, 0.125, 1.0, 0.999999999}) EXPECT_NEAR(ToReal(MakeUnit(unit)) / unit, 1, 1e-9);
  EXPECT_EQ(UnitBits(7.9, 32767), 12);
  EXPECT_EQ(UnitBits(8.1, 32767), 11);
  EXPECT_EQ(UnitBits(1000, 32767), 9);
}

}  // namespace
}  // namespace intsam
