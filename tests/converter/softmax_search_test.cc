// Codings of probabilities against their formulas, and which one an attention gets.
#include "converter/quantize/softmax_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace intsam::internal {
namespace {

constexpr size_t kQueries = 24, kKeys = 64, kDim = 8;

const AttentionSite kSite{"attention", SiteClass::kDecoder, 1, kDim, "out", {{"q"}, {"k"}, {"v"}}};

// One head whose scores have this standard deviation: large ones make rows with a few large probabilities.
std::vector<AttentionSample> Samples(double deviation, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<AttentionSample> samples(2);
  for (AttentionSample& s : samples) {
    s.queries = kQueries, s.keys = kKeys;
    s.q.resize(kQueries * kDim), s.k.resize(kKeys * kDim), s.v.resize(kKeys * kDim);
    for (float& x : s.q) x = static_cast<float>(deviation) * normal(random);
    for (std::vector<float>* values : {&s.k, &s.v}) {
      for (float& x : *values) x = normal(random);
    }
  }
  return samples;
}

SoftmaxChoice Choose(const std::vector<AttentionSample>& samples, int bits, SoftmaxPolicy policy,
                     double output_error = 0.01, bool search = true) {
  return ChooseSoftmax(kSite, FloatModel(), samples, bits, policy, search, output_error);
}

TEST(CodedProbability, IsItsFormula) {
  for (const int bits : {2, 4, 6, 8}) {
    const int levels = 1 << bits;
    for (const double scale : {1.0, 0.37, 0.01}) {
      for (double p = 1; p > 1e-7; p *= 0.83) {
        const double step = scale / levels;
        const double code = std::min(std::floor(p / step + 0.5), levels - 1.0);
        const SoftmaxCoding uniform{SoftmaxCoding::kUniform, bits, 1, step};
        const double fraction = p / step - std::floor(p / step);
        if (std::fabs(fraction - 0.5) > 1e-4) {  // F32 may fall to the other side of a tie
          EXPECT_NEAR(CodedProbability(static_cast<float>(p), uniform), code * step, 1e-6 * scale) << bits << " " << p;
        }
        for (const int tau : {1, 2, 4, 8, 16}) {
          const double exponent = -tau * std::log2(p / scale);
          if (std::fabs(exponent - std::floor(exponent) - 0.5) < 1e-4) continue;
          const double n = std::max(std::floor(exponent + 0.5), 0.0);
          const double expected = n >= levels ? 0 : scale * std::exp2(-n / tau);
          EXPECT_NEAR(CodedProbability(static_cast<float>(p), {SoftmaxCoding::kAgq, bits, tau, scale}), expected,
                      1e-5 * expected)
              << bits << " " << tau << " " << scale << " " << p;
        }
      }
    }
  }
  EXPECT_EQ(CodedProbability(0, {SoftmaxCoding::kAgq, 4, 2, 1}), 0);
  EXPECT_EQ(CodedProbability(0, {SoftmaxCoding::kUniform, 4, 1, 0.1}), 0);
  EXPECT_EQ(CodedProbability(0.123f, {}), 0.123f);
}

TEST(ChooseSoftmax, ScalesStayInBounds) {
  for (const double deviation : {0.01, 1.0, 3.0, 30.0}) {
    const std::vector<AttentionSample> samples = Samples(deviation);
    double most = 0;
    for (const AttentionSample& s : samples) {
      for (const float p : Probabilities(kSite, FloatModel(), s, s.q, s.k)) most = std::max<double>(most, p);
    }
    for (const int bits : {2, 4, 8}) {
      const SoftmaxChoice c = Choose(samples, bits, SoftmaxPolicy::kAuto);
      EXPECT_GT(c.agq.scale, 0);
      EXPECT_LE(c.agq.scale, most * 1.000001);
      EXPECT_GT(c.uniform.scale, 0);
      EXPECT_LE(c.uniform.scale, most / ((1 << bits) - 1) * 1.000001);
      EXPECT_EQ(c.agq.bits, bits);
      EXPECT_EQ(c.uniform.bits, bits);
      EXPECT_TRUE(c.agq.tau == 1 || c.agq.tau == 2 || c.agq.tau == 4 || (bits == 8 && c.agq.tau <= 16)) << c.agq.tau;
      EXPECT_TRUE(std::isfinite(c.uniform_error) && std::isfinite(c.agq_error));
    }
  }
}

TEST(ChooseSoftmax, ErrorsAreThoseOfTheProduct) {
  const std::vector<AttentionSample> samples = Samples(2);
  const SoftmaxChoice c = Choose(samples, 4, SoftmaxPolicy::kAgq);
  for (const auto& [coding, expected] : {std::pair{c.agq, c.agq_error}, {c.uniform, c.uniform_error}}) {
    double error = 0, norm = 0;
    for (const AttentionSample& s : samples) {
      const std::vector<float> p = Probabilities(kSite, FloatModel(), s, s.q, s.k);
      for (size_t i = 0; i < kQueries; ++i) {
        for (size_t d = 0; d < kDim; ++d) {
          double exact = 0, coded = 0;
          for (size_t j = 0; j < kKeys; ++j) {
            exact += double{p[i * kKeys + j]} * s.v[j * kDim + d];
            coded += double{CodedProbability(p[i * kKeys + j], coding)} * s.v[j * kDim + d];
          }
          error += (exact - coded) * (exact - coded), norm += exact * exact;
        }
      }
    }
    EXPECT_NEAR(expected, std::sqrt(error / norm), 1e-4 * expected);
  }
}

TEST(ChooseSoftmax, FewBitsOfPeakedRowsWantPowersOfTwo) {
  const SoftmaxChoice peaked = Choose(Samples(3), 4, SoftmaxPolicy::kAuto);
  EXPECT_LT(peaked.agq_error, peaked.uniform_error);
}

TEST(ChooseSoftmax, MoreBitsAreNoWorse) {
  const std::vector<AttentionSample> samples = Samples(2);
  double uniform = 1, agq = 1;
  for (const int bits : {2, 4, 6, 8}) {
    const SoftmaxChoice c = Choose(samples, bits, SoftmaxPolicy::kAuto);
    EXPECT_LT(c.uniform_error, uniform) << bits;
    EXPECT_LE(c.agq_error, agq * 1.1) << bits;
    uniform = c.uniform_error, agq = c.agq_error;
  }
}

TEST(ChooseSoftmax, PoliciesAreObeyed) {
  const std::vector<AttentionSample> samples = Samples(1);
  EXPECT_EQ(Choose(samples, 4, SoftmaxPolicy::kExact).coding.kind, SoftmaxCoding::kExact);
  EXPECT_EQ(Choose(samples, 4, SoftmaxPolicy::kUniform).coding.kind, SoftmaxCoding::kUniform);
  const SoftmaxChoice agq = Choose(samples, 4, SoftmaxPolicy::kAgq);
  EXPECT_EQ(agq.coding.kind, SoftmaxCoding::kAgq);
  EXPECT_EQ(agq.coding.scale, agq.agq.scale);
}

TEST(ChooseSoftmax, AutoWeighsAgainstTheOutputsOwnError) {
  const std::vector<AttentionSample> samples = Samples(3);
  // At 2 bits both codings are far off: nothing but exact will do where the output is exact ...
  EXPECT_EQ(Choose(samples, 2, SoftmaxPolicy::kAuto, 1e-3).coding.kind, SoftmaxCoding::kExact);
  // ... and the cheapest where the output's own error hides them.
  EXPECT_EQ(Choose(samples, 2, SoftmaxPolicy::kAuto, 100).coding.kind, SoftmaxCoding::kUniform);
  const SoftmaxChoice c = Choose(samples, 4, SoftmaxPolicy::kAuto, 0);
  ASSERT_LT(c.agq_error, 0.9 * c.uniform_error);
  // sqrt(e^2 + o^2) <= 1.01 o for e^2 <= 0.0201 o^2: an output error between what AGQ and what uniform need.
  const double between = std::sqrt(c.agq_error * c.uniform_error / 0.0201);
  EXPECT_EQ(Choose(samples, 4, SoftmaxPolicy::kAuto, between).coding.kind, SoftmaxCoding::kAgq);
}

TEST(ChooseSoftmax, WithoutASearchTheStepReachesTheLargest) {
  const std::vector<AttentionSample> samples = Samples(2);
  double mean = 0;
  for (const AttentionSample& s : samples) {
    const std::vector<float> p = Probabilities(kSite, FloatModel(), s, s.q, s.k);
    mean += *std::max_element(p.begin(), p.end()) / 15 / 2;
  }
  EXPECT_NEAR(Choose(samples, 4, SoftmaxPolicy::kUniform, 0.01, false).coding.scale, mean, 1e-7);
  EXPECT_LE(Choose(samples, 4, SoftmaxPolicy::kUniform).uniform_error,
            Choose(samples, 4, SoftmaxPolicy::kUniform, 0.01, false).uniform_error * 1.05);
}

}  // namespace
}  // namespace intsam::internal
