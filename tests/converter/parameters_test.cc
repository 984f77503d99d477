// Real multipliers to integers and back: the converter's mantissas and shifts inside the runtime's own formulas.
#include "converter/quantize/parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "converter/quantize/rounding.h"
#include "kernels/numerics/layer_norm.h"
#include "kernels/numerics/requantize.h"
#include "kernels/numerics/softmax.h"
#include "runtime/ops/ops.h"

namespace intsam::internal {
namespace {

Scale Signed(double scale) { return {scale, Codes::Signed()}; }

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

TEST(Parameters, RoundingEndsAtTheEndsOfTheType) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(RoundTo<int32_t>(2.5), 3);
  EXPECT_EQ(RoundTo<int32_t>(-2.5), -2);
  EXPECT_EQ(RoundTo<int8_t>(127.4), 127);
  EXPECT_EQ(RoundTo<int8_t>(127.6), 127);
  EXPECT_EQ(RoundTo<int8_t>(-1e9), -128);
  EXPECT_EQ(RoundTo<int32_t>(1e300), INT32_MAX);
  EXPECT_EQ(RoundTo<int64_t>(9.3e18), INT64_MAX);
  EXPECT_EQ(RoundTo<int64_t>(-infinity), INT64_MIN);
  EXPECT_EQ(RoundTo<int64_t>(infinity), INT64_MAX);
  EXPECT_EQ(RoundTo<int64_t>(std::nan("")), 0);
}

// Without any fitting k the field keeps a value that the writer refuses.
TEST(Parameters, GainsThatDoNotFitAreNotCutInSilence) {
  TensorPool pool;
  const std::vector<float> huge = {1, 3e38f, -3e38f}, none = {0, 0, 0};
  EXPECT_EQ(MakeNormNarrow(huge, none, 1e-6, 0.01, Signed(0.01), pool).k, 0u);
  EXPECT_EQ(MakeNormNarrow(none, huge, 1e-6, 0.01, Signed(0.01), pool).k, 0u);
  EXPECT_GE(MakeNormNarrow(none, none, 1e-6, 0.01, Signed(0.01), pool).k, 1u);
  const NormWide wide = MakeNormWide(huge, none, 1e-6, 0.01, 1e-3, pool);
  EXPECT_EQ(wide.gain[1], INT32_MAX);  // beyond the field's range, as it should be
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

TEST(Parameters, NarrowNormMatchesTheRealOne) {
  constexpr int kChannels = 192;
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  std::vector<float> gamma(kChannels), beta(kChannels);
  for (int i = 0; i < kChannels; ++i)
    gamma[i] = static_cast<float>(std::exp(normal(random) * 0.5)), beta[i] = static_cast<float>(normal(random) * 0.3);
  const double unit = 2e-5, eps = 1e-6;
  const Scale out{16.0 / 255, {128, 0, 255}};
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
    const Softmax softmax = MakeSoftmax({}, unit, Signed(1), Signed(1), 1);
    for (uint32_t distance = 0; distance * unit < 8; distance += 1 + static_cast<uint32_t>(0.05 / unit)) {
      const uint16_t t = LogDistance(distance, softmax.shift, static_cast<uint16_t>(softmax.mult));
      EXPECT_NEAR(Exp2Negative(t) / 32767.0, std::exp(-(distance * unit)), 6e-4) << unit << " " << distance;
    }
  }
}

TEST(Parameters, SoftmaxFieldsStayInTheirRanges) {
  for (const double scale : {1e-30, 1e-6, 0.005, 0.9999, 1.0, 1.3, 4.0}) {
    for (const auto kind : {SoftmaxCoding::kUniform, SoftmaxCoding::kAgq}) {
      const Softmax s = MakeSoftmax({kind, 4, 16, scale}, 6.3e-4, Signed(0.01), Signed(0.02), 65536);
      EXPECT_GE(s.log2_scale, -32767);
      EXPECT_LE(s.log2_scale, 4096);
      EXPECT_GE(s.step_mult, 1u << 15);
      EXPECT_LE(s.step_mult, 65535u);
      EXPECT_GE(s.step_shift, -16);
      EXPECT_LE(s.step_shift, 24);
      EXPECT_EQ(s.tau_shift, kind == SoftmaxCoding::kAgq ? 4u : 0u);
      EXPECT_EQ(s.pre_shift, kind == SoftmaxCoding::kAgq ? 7u : 0u);
    }
  }
  const Softmax exact = MakeSoftmax({}, 6.3e-4, Signed(0.01), Signed(0.02), 65536);
  EXPECT_EQ(exact.pre_shift, 0u);
  EXPECT_EQ(exact.mix.mult, 1 << 30);
  EXPECT_EQ(exact.mix.shift, 31u);
}

// p quantized in floating point.
double Coded(const SoftmaxCoding& coding, double p) {
  const double levels = std::exp2(coding.bits);
  if (coding.kind == SoftmaxCoding::kExact) return p;
  if (coding.kind == SoftmaxCoding::kUniform) return std::min(std::rint(p / coding.scale), levels - 1) * coding.scale;
  const double code = std::rint(-coding.tau * std::log2(std::max(p, 1e-20) / coding.scale));
  return code >= levels ? 0 : coding.scale * std::exp2(-std::max(code, 0.0) / coding.tau);
}

// One head through the scalar kernels against floating point: codes of the output, ideally within half a code.
TEST(Parameters, AttentionOfEveryCodingAgreesWithFloat) {
  constexpr double kUnit = 6.3e-4, kValueScale = 0.013;
  constexpr int kDim = 16;
  const SoftmaxCoding codings[] = {{},
                                   {SoftmaxCoding::kUniform, 8, 1, 1.0 / 1020},
                                   {SoftmaxCoding::kUniform, 4, 1, 0.01},
                                   {SoftmaxCoding::kAgq, 4, 1, 0.3},
                                   {SoftmaxCoding::kAgq, 6, 4, 0.005},
                                   {SoftmaxCoding::kAgq, 8, 16, 0.05}};
  std::mt19937_64 random(6);
  std::uniform_int_distribution<int> value(-127, 127);
  std::normal_distribution<double> logit(0, 2 / kUnit);
  const Kernels& k = ScalarKernels();
  for (const SoftmaxCoding& coding : codings) {
    for (const int keys : {7, 196, 4096}) {
      double sum = 0, worst = 0;
      constexpr int kRows = 20;
      for (int row = 0; row < kRows; ++row) {
        const auto padded = static_cast<size_t>(RoundUp(keys, kPanel));
        std::vector<int32_t> logits(padded);
        std::vector<int8_t> v(static_cast<size_t>(keys * kDim) + kPadBytes);
        for (int j = 0; j < keys; ++j) logits[static_cast<size_t>(j)] = static_cast<int32_t>(logit(random));
        for (int8_t& x : v) x = static_cast<int8_t>(value(random));
        const int32_t maximum = *std::max_element(logits.begin(), logits.begin() + keys);
        double total = 0, exact[kDim] = {}, largest = 0;
        for (int j = 0; j < keys; ++j) total += std::exp(kUnit * (logits[static_cast<size_t>(j)] - maximum));
        for (int j = 0; j < keys; ++j) {
          const double p = Coded(coding, std::exp(kUnit * (logits[static_cast<size_t>(j)] - maximum)) / total);
          for (int c = 0; c < kDim; ++c) exact[c] += p * kValueScale * v[static_cast<size_t>(j * kDim + c)];
        }
        for (const double x : exact) largest = std::max(largest, std::fabs(x));
        if (largest == 0) continue;  // a coarse step leaves nothing of a diffuse row
        const double output_scale = largest / 127;

        const Softmax softmax =
            MakeSoftmax(coding, kUnit, Signed(kValueScale), Signed(output_scale), static_cast<uint32_t>(keys));
        std::vector<int16_t> values(padded * kDim + kPadBytes);
        k.pack_values({v.data(), kDim, keys, kDim, values.data()});
        std::vector<uint16_t> prob(padded);
        const int32_t s = ops::Probabilities(k, softmax, logits.data(), keys, {}, prob.data());
        int64_t n[kDim];
        uint8_t codes[kDim];
        k.attention_mix({prob.data(), padded, values.data(), 1, keys, kDim, n});
        ops::AttentionCodes(k, softmax, n, &s, 1, kDim, {codes, kDim});
        for (int c = 0; c < kDim; ++c) {
          const double error = std::fabs(codes[c] - OperandZero(softmax.out) - exact[c] / output_scale);
          sum += error / (kRows * kDim), worst = std::max(worst, error);
        }
      }
      const std::string what = "kind " + std::to_string(coding.kind) + " bits " + std::to_string(coding.bits) +
                               " keys " + std::to_string(keys);
      EXPECT_LE(sum, 0.35) << what;
      EXPECT_LE(worst, coding.kind == SoftmaxCoding::kExact ? 0.65 : 3) << what;  // a key on the other side of a step
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
}  // namespace intsam::internal
