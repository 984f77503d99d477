// LayerNorm (docs/numerics.md section 4): the row scale against its definition by value, and both outputs against
// floating point, every element within the bound that follows from the roundings on its way. (The maxima measured in
// that section belong to particular gamma: another draw moves them by a tenth of a code.)
#include "kernels/numerics/layer_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/kernels/harness.h"
#include "tests/wide.h"

namespace intsam::internal {
namespace {

using test::Int128;
using test::Random;

TEST(LayerNormStatistics, MeanRoundsHalfUp) {
  EXPECT_EQ(LayerNormMean(-1, 2), 0);
  EXPECT_EQ(LayerNormMean(1, 2), 1);
  EXPECT_EQ(LayerNormMean(-3, 2), -1);
  EXPECT_EQ(LayerNormMean(-int64_t{kR24Max} * 2048, 2048), -kR24Max);
}

void CheckInverseRoot(int64_t sum_squares) {
  const InverseRoot got = LayerNormInverseRoot(sum_squares);
  // h puts W into 2^22..2^24-1 by a power of four; R is the exact root of the floored quotient.
  const Int128 w = got.h >= 0 ? Int128{sum_squares} >> (2 * got.h) : Int128{sum_squares} << (-2 * got.h);
  ASSERT_TRUE(w >= (1 << 22) && w < (1 << 24)) << sum_squares;
  const Int128 quotient = (Int128{1} << 62) / w, r = got.root;
  ASSERT_TRUE(r * r <= quotient && (r + 1) * (r + 1) > quotient) << sum_squares;
  ASSERT_TRUE(r >= (1 << 19) && r <= (1 << 20)) << sum_squares;
}

TEST(LayerNormStatistics, InverseRootIsExact) {
  for (int64_t w = 1; w < 20000; ++w) CheckInverseRoot(w);
  for (int n = 1; n < 62; ++n) {
    for (int64_t around = -2; around <= 2; ++around) CheckInverseRoot(std::max<int64_t>(1, (int64_t{1} << n) + around));
  }
  CheckInverseRoot((int64_t{1} << 62) - 1);
  Random random(1);
  for (int i = 0; i < 100000; ++i) CheckInverseRoot(std::abs(random.Wide((int64_t{1} << 62) - 2)) + 1);
}

TEST(LayerNormStatistics, ScaleOf16BitsKeepsTheReciprocal) {
  Random random(2);
  for (int i = 0; i < 200000; ++i) {
    const LayerNormScale scale{static_cast<int32_t>(i < 66000 ? i + 1 : random.In(1, (1 << 26) - 1)),
                               static_cast<int>(random.In(-11, 19))};
    const LayerNormScale16 got = LayerNormScale16Of(scale);
    ASSERT_TRUE(got.reciprocal >= 1 << 14) << scale.reciprocal;
    const double exact = std::ldexp(scale.reciprocal, -22 - scale.h);
    ASSERT_LE(std::abs(std::ldexp(got.reciprocal, -15 - got.shift) / exact - 1), 1.0 / (1 << 15)) << scale.reciprocal;
  }
}

struct Site {
  int channels;
  std::vector<double> gamma, beta;
};

Site MakeSite(std::mt19937_64& engine, int channels) {
  Site site{channels, {}, {}};
  std::normal_distribution<double> normal;
  for (int c = 0; c < channels; ++c) {
    site.gamma.push_back(std::exp(0.7 * normal(engine)) * (c == 3 ? 0.05 : 1));
    site.beta.push_back(0.3 * normal(engine));
  }
  return site;
}

struct Error {
  double worst = 0, excess = -1, square = 0;  // excess: of an error over its bound
  int64_t count = 0;
  void Add(double difference, double bound) {
    worst = std::max(worst, std::abs(difference));
    excess = std::max(excess, std::abs(difference) - bound);
    square += difference * difference;
    ++count;
  }
  double Rms() const { return std::sqrt(square / static_cast<double>(count)); }
};

// Rows with outliers of `outlier` sigma in two channels, as real numbers and in units of `unit`.
struct Sample {
  double unit;
  std::vector<int32_t> x;
  std::vector<double> normalized;  // the float LayerNorm before gamma and beta
};

Sample MakeSample(std::mt19937_64& engine, int channels, double outlier, double epsilon) {
  std::normal_distribution<double> normal;
  std::vector<double> x;
  for (int c = 0; c < channels; ++c) x.push_back(normal(engine));
  x[3] += outlier;
  x[static_cast<size_t>(channels / 2)] -= 0.6 * outlier;
  Sample s{(outlier + 6) * 2 / (1 << 23), {}, {}};
  double mean = 0, variance = 0;
  for (double v : x) s.x.push_back(static_cast<int32_t>(std::lround(v / s.unit)));
  for (int32_t v : s.x) mean += v * s.unit / channels;
  for (int32_t v : s.x) variance += (v * s.unit - mean) * (v * s.unit - mean) / channels;
  for (int32_t v : s.x) s.normalized.push_back((v * s.unit - mean) / std::sqrt(variance + epsilon));
  return s;
}

struct Row {
  int32_t mean;
  double sigma;           // of the row, in units of x
  double relative_error;  // that 1/sigma can have: truncations of w and R, roundings of Cs, RC, mu and E
  LayerNormScale scale;
};

Row Statistics(const Sample& s, double epsilon) {
  const int channels = static_cast<int>(s.x.size());
  int64_t sum = 0, squares = std::llround(channels * epsilon / (s.unit * s.unit));
  for (int32_t v : s.x) sum += v;
  const int32_t mean = LayerNormMean(sum, channels);
  for (int32_t v : s.x) squares += int64_t{v - mean} * (v - mean);
  const double root = std::sqrt(channels);
  return {mean, std::sqrt(static_cast<double>(squares) / channels),
          std::exp2(-23) + std::exp2(-19) + (std::exp2(-20) + std::exp2(-17)) / root +
              (channels / 4.0 + 1) / static_cast<double>(squares),
          LayerNormScaleOf(squares, static_cast<int32_t>(std::lround(root * 65536)))};
}

constexpr double kEpsilon = 1e-6;
constexpr int kRows = 200;

Error MeasureNarrow(int channels, double outlier) {
  std::mt19937_64 engine(5);
  const Site site = MakeSite(engine, channels);
  std::vector<Sample> samples;
  double low = 0, high = 0, gain_max = 0;
  for (int i = 0; i < kRows; ++i) {
    samples.push_back(MakeSample(engine, channels, outlier, kEpsilon));
    for (size_t c = 0; c < site.gamma.size(); ++c) {
      const double y = samples.back().normalized[c] * site.gamma[c] + site.beta[c];
      low = std::min(low, y);
      high = std::max(high, y);
    }
  }
  const double scale = (high - low) / 255;
  const double zero = std::round(-low / scale);
  for (double g : site.gamma) gain_max = std::max(gain_max, g / scale / 512);
  // Largest k that keeps 32768*|G| + |B| below 2^31 and G in s16.
  int k = std::min(20, static_cast<int>(std::floor(std::log2(32767 / gain_max))));
  const auto gain = [&](size_t c) { return std::lround(std::ldexp(site.gamma[c] / scale / 512, k)); };
  const auto bias = [&](size_t c) { return std::llround(std::ldexp(site.beta[c] / scale + zero, k)) + (1 << k) / 2; };
  for (size_t c = 0; c < site.gamma.size(); ++c) {
    while (32768 * std::abs(int64_t{gain(c)}) + std::abs(bias(c)) >= int64_t{1} << 31) --k;
  }
  Error error;
  for (const Sample& s : samples) {
    const Row row = Statistics(s, kEpsilon);
    const LayerNormScale16 scale16 = LayerNormScale16Of(row.scale);
    for (size_t c = 0; c < site.gamma.size(); ++c) {
      const int code = LayerNormNarrowCode(s.x[c] - row.mean, scale16, static_cast<int16_t>(gain(c)),
                                           static_cast<int32_t>(bias(c)), k, 0, 255);
      const double exact = (s.normalized[c] * site.gamma[c] + site.beta[c]) / scale + zero;
      if (exact < 0 || exact > 255) continue;
      // Roundings of mu, t and v in sigma; of R16 and RC relative; of G, B and the code.
      const double sigmas = 0.5 / row.sigma + 0.5 * std::exp2(std::max(scale16.shift, 0)) / row.sigma + 0.5 / 512 +
                            std::abs(s.normalized[c]) * (std::exp2(-15) + row.relative_error);
      const double gains = std::exp2(-k - 1) * (512 * std::abs(s.normalized[c]) + 2);
      error.Add(code - exact, 0.5 + 1e-4 + sigmas * site.gamma[c] / scale + gains);
    }
  }
  return error;
}

void CheckError(const Error& error, int channels) {
  EXPECT_LE(error.excess, 0) << channels << " channels, worst " << error.worst;
  EXPECT_LE(error.worst, 1.0) << channels;
  EXPECT_NEAR(error.Rms(), 1 / std::sqrt(12), 0.006) << channels;  // as good as one ideal rounding
}

TEST(LayerNormNarrow, KeepsItsErrorBounds) {
  CheckError(MeasureNarrow(192, 1), 192);
  CheckError(MeasureNarrow(768, 30), 768);
  CheckError(MeasureNarrow(1280, 300), 1280);
}

Error MeasureWide(int channels, double outlier) {
  std::mt19937_64 engine(6);
  const Site site = MakeSite(engine, channels);
  std::vector<Sample> samples;
  double peak = 0, gain_max = 0;
  for (int i = 0; i < kRows; ++i) {
    samples.push_back(MakeSample(engine, channels, outlier, kEpsilon));
    for (size_t c = 0; c < site.gamma.size(); ++c) {
      peak = std::max(peak, std::abs(samples.back().normalized[c] * site.gamma[c] + site.beta[c]));
    }
  }
  const double scale = peak / 32767;
  for (double g : site.gamma) gain_max = std::max(gain_max, g / scale);
  const int sh = 22 - static_cast<int>(std::floor(std::log2(gain_max)));
  Error error;
  for (const Sample& s : samples) {
    const Row row = Statistics(s, kEpsilon);
    for (size_t c = 0; c < site.gamma.size(); ++c) {
      const int32_t gain = static_cast<int32_t>(std::lround(std::ldexp(site.gamma[c] / scale, sh)));
      const int64_t bias = std::llround(std::ldexp(site.beta[c] / scale, sh + 16));
      const double exact = (s.normalized[c] * site.gamma[c] + site.beta[c]) / scale;
      // Roundings of mu and n in sigma; of RC relative; of G, B and the value.
      const double sigmas = 0.5 / row.sigma + std::exp2(-17) + std::abs(s.normalized[c]) * row.relative_error;
      const double gains = std::exp2(-sh - 1) * (std::abs(s.normalized[c]) + 1);
      error.Add(LayerNormWideValue(s.x[c] - row.mean, row.scale, gain, bias, sh + 16) - exact,
                0.5 + 1e-4 + sigmas * site.gamma[c] / scale + gains);
    }
  }
  return error;
}

TEST(LayerNormWide, KeepsItsErrorBounds) {
  CheckError(MeasureWide(192, 1), 192);
  CheckError(MeasureWide(768, 30), 768);
  CheckError(MeasureWide(1280, 300), 1280);
}

}  // namespace
}  // namespace intsam::internal
