// Weights to codes: the nearest ones, the best range, and error feedback by the error that it is for.
#include "converter/quantize/round_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace intsam::internal {
namespace {

std::vector<float> Random(size_t count, uint32_t seed, float heavy = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(random), v += heavy * v * v * v;
  return values;
}

// Inputs [rows][channels] of a few sources each, as neighbouring channels share: far from independent.
std::vector<float> Correlated(size_t rows, size_t channels, size_t sources, uint32_t seed) {
  const std::vector<float> mixing = Random(sources * channels, seed), source = Random(rows * sources, seed + 1),
                           noise = Random(rows * channels, seed + 2);
  std::vector<float> x(rows * channels);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < channels; ++c) {
      float& v = x[r * channels + c] = 0.1f * noise[r * channels + c];
      for (size_t s = 0; s < sources; ++s) v += source[r * sources + s] * mixing[s * channels + c];
    }
  }
  return x;
}

Gram GramOf(std::span<const float> rows, size_t channels) {
  Gram gram(channels);
  ThreadPool pool(1);
  gram.Add(rows, pool);
  return gram;
}

// tr(E H E^T)
double OutputError(std::span<const float> weight, const WeightCodes& codes, const Gram& gram) {
  const std::vector<float> rounded = Dequantize(codes);
  const size_t in = gram.channels();
  double error = 0;
  for (size_t n = 0; n < weight.size() / in; ++n) {
    for (size_t i = 0; i < in; ++i) {
      for (size_t j = 0; j < in; ++j) {
        error += (double{weight[n * in + i]} - rounded[n * in + i]) * gram.At(i, j) *
                 (double{weight[n * in + j]} - rounded[n * in + j]);
      }
    }
  }
  return error;
}

// The least code in use: from 6 bits on the codes are symmetric.
int LeastCode(int bits) { return bits >= 6 ? 1 : 0; }

void ExpectCodesInRange(const WeightCodes& codes, size_t out, size_t in, int bits) {
  ASSERT_EQ(codes.codes.size(), out * in);
  ASSERT_EQ(codes.scale.size(), out);
  ASSERT_EQ(codes.zero.size(), out);
  EXPECT_EQ(codes.bits, bits);
  for (size_t i = 0; i < codes.codes.size(); ++i) {
    ASSERT_GE(codes.codes[i], LeastCode(bits)) << i;
    ASSERT_LT(codes.codes[i], 1 << bits) << i;
  }
  for (size_t n = 0; n < out; ++n) {
    ASSERT_TRUE(std::isfinite(codes.scale[n]) && codes.scale[n] > 0) << n;
    ASSERT_LT(codes.zero[n], 1 << bits) << n;
    ASSERT_TRUE(bits < 6 || codes.zero[n] == 1 << (bits - 1)) << n;
  }
}

TEST(RoundWeights, NearestIsNearest) {
  constexpr size_t kOut = 9, kIn = 37;
  const std::vector<float> weight = Random(kOut * kIn, 1);
  for (int bits = 2; bits <= 8; ++bits) {
    for (const bool search : {false, true}) {
      const WeightCodes codes = RoundWeights(weight, kOut, kIn, {bits, search, {}, nullptr});
      ExpectCodesInRange(codes, kOut, kIn, bits);
      const std::vector<float> rounded = Dequantize(codes);
      for (size_t i = 0; i < weight.size(); ++i) {
        const float error = std::fabs(rounded[i] - weight[i]), scale = codes.scale[i / kIn];
        for (int other = LeastCode(bits); other < 1 << bits; ++other) {
          ASSERT_LE(error,
                    std::fabs(static_cast<float>(other - codes.zero[i / kIn]) * scale - weight[i]) + 1e-5f * scale)
              << bits << " " << i << " " << other;
        }
      }
    }
  }
}

TEST(RoundWeights, ExtremesAreKeptWithoutASearch) {
  const std::vector<float> weight = {-1, 0.25f, 2.0f, 0.1f, 0.7f, 0.3f};
  for (int bits = 2; bits <= 8; ++bits) {
    const WeightCodes codes = RoundWeights(weight, 2, 3, {bits, false, {}, nullptr});
    const std::vector<float> rounded = Dequantize(codes);
    EXPECT_NEAR(rounded[2], 2, 0.51f * codes.scale[0]) << bits;
    EXPECT_NEAR(rounded[0], -1, 0.51f * codes.scale[0]) << bits;
    EXPECT_NEAR(rounded[4], 0.7f, 0.51f * codes.scale[1]) << bits;
  }
}

TEST(RoundWeights, TheSearchIsNeverWorse) {
  constexpr size_t kOut = 12, kIn = 48;
  std::vector<double> moments;
  for (size_t i = 0; i < kIn; ++i) moments.push_back(std::pow(10, static_cast<double>(i % 5) - 2));
  for (const float heavy : {0.0f, 0.3f}) {
    const std::vector<float> weight = Random(kOut * kIn, 2, heavy);
    for (int bits = 2; bits <= 8; ++bits) {
      for (const bool with_moments : {false, true}) {
        const std::span<const double> moment =
            with_moments ? std::span<const double>(moments) : std::span<const double>();
        double errors[2];
        for (const bool search : {false, true}) {
          const std::vector<float> rounded =
              Dequantize(RoundWeights(weight, kOut, kIn, {bits, search, moment, nullptr}));
          errors[search] = 0;
          for (size_t i = 0; i < weight.size(); ++i) {
            const double e = std::fabs(double{rounded[i]} - weight[i]);
            errors[search] += with_moments ? moments[i % kIn] * e * e : std::pow(e, 2.4);
          }
        }
        EXPECT_LE(errors[1], errors[0] * (bits <= 4 && heavy > 0 ? 0.98 : 1.0001)) << bits << " " << with_moments;
      }
    }
  }
}

TEST(RoundWeights, AMomentServesNeighbouringInputs) {
  // One moment for each half of a row: as one for each input of it.
  constexpr size_t kIn = 16;
  const std::vector<float> weight = Random(4 * kIn, 3, 0.3f);
  const std::vector<double> halves = {1, 100};
  std::vector<double> each(kIn, 1);
  std::fill(each.begin() + kIn / 2, each.end(), 100);
  const WeightCodes a = RoundWeights(weight, 4, kIn, {4, true, halves, nullptr});
  const WeightCodes b = RoundWeights(weight, 4, kIn, {4, true, each, nullptr});
  EXPECT_EQ(a.codes, b.codes);
  EXPECT_NE(a.scale, RoundWeights(weight, 4, kIn, {4, true, {}, nullptr}).scale);
}

TEST(RoundWeights, FeedbackLowersTheOutputError) {
  for (const size_t in : {7u, 64u, 65u, 200u}) {  // one block of columns, exactly one, more
    constexpr size_t kOut = 8;
    const std::vector<float> weight = Random(kOut * in, 4);
    const Gram gram = GramOf(Correlated(500, in, 5, 5), in);
    for (const int bits : {2, 3, 4, 6, 8}) {
      const WeightCodes nearest = RoundWeights(weight, kOut, in, {bits, false, {}, nullptr});
      const WeightCodes fed = RoundWeights(weight, kOut, in, {bits, false, {}, &gram});
      ExpectCodesInRange(fed, kOut, in, bits);
      EXPECT_EQ(fed.scale, nearest.scale);
      EXPECT_LT(OutputError(weight, fed, gram), (bits == 2 ? 0.9 : 0.7) * OutputError(weight, nearest, gram))
          << in << " " << bits;
    }
  }
}

// What is left of the moments is that of the inputs less their means.
TEST(Gram, CentredMomentsAreThoseAroundTheMean) {
  constexpr size_t kIn = 5, kRows = 200;
  std::vector<float> rows = Correlated(kRows, kIn, 2, 11), around = rows;
  for (size_t i = 0; i < rows.size(); ++i) rows[i] += static_cast<float>(i % kIn) * 3 - 4;
  std::vector<double> means(kIn);
  for (size_t i = 0; i < rows.size(); ++i) means[i % kIn] += rows[i] / double{kRows};
  for (size_t i = 0; i < rows.size(); ++i) around[i] = rows[i] - static_cast<float>(means[i % kIn]);
  Gram whole = GramOf(rows, kIn), row_by_row(kIn);
  for (size_t r = 0; r < kRows; ++r) row_by_row.AddRow(std::span<const float>(rows).subspan(r * kIn, kIn));
  const Gram expected = GramOf(around, kIn);
  whole.Centre(), row_by_row.Centre();
  for (size_t i = 0; i < kIn; ++i) {
    for (size_t j = 0; j < kIn; ++j) {
      EXPECT_NEAR(whole.At(i, j), expected.At(i, j), 1e-3 * expected.Diagonal(i)) << i << " " << j;
      EXPECT_NEAR(row_by_row.At(i, j), expected.At(i, j), 1e-3 * expected.Diagonal(i)) << i << " " << j;
    }
  }
}

// Every channel by its own neighbourhood.
TEST(RoundDepthwise, FeedbackLowersTheOutputError) {
  constexpr size_t kChannels = 6, kTaps = 9;
  const std::vector<float> weight = Random(kChannels * kTaps, 12);
  std::vector<Gram> grams;
  for (uint32_t c = 0; c < kChannels; ++c) grams.push_back(GramOf(Correlated(300, kTaps, 1, 20 + c), kTaps));
  const WeightCodes fed = RoundDepthwise(weight, kChannels, {8, false, {}, nullptr}, grams);
  const WeightCodes nearest = RoundDepthwise(weight, kChannels, {8, false, {}, nullptr}, {});
  ExpectCodesInRange(fed, kChannels, kTaps, 8);
  const auto channel = [&](const WeightCodes& codes, size_t c) {
    const auto at = static_cast<std::ptrdiff_t>(c * kTaps);
    return WeightCodes{
        8, {codes.codes.begin() + at, codes.codes.begin() + at + kTaps}, {codes.zero[c]}, {codes.scale[c]}, {}};
  };
  // A single channel's nearest codes may be lucky.
  double error = 0, without = 0;
  for (size_t c = 0; c < kChannels; ++c) {
    const auto row = std::span<const float>(weight).subspan(c * kTaps, kTaps);
    error += OutputError(row, channel(fed, c), grams[c]), without += OutputError(row, channel(nearest, c), grams[c]);
  }
  EXPECT_LT(error, 0.7 * without);
}

TEST(RoundWeights, IndependentInputsNeedNoFeedback) {
  constexpr size_t kOut = 5, kIn = 80;
  std::vector<float> diagonal(kIn * kIn);
  for (size_t i = 0; i < kIn; ++i) diagonal[i * kIn + i] = 1 + static_cast<float>(i * 13 % 7);
  const Gram gram = GramOf(diagonal, kIn);
  ASSERT_EQ(gram.At(3, 4), 0);
  const std::vector<float> weight = Random(kOut * kIn, 6);
  for (const int bits : {3, 4, 8}) {
    EXPECT_EQ(RoundWeights(weight, kOut, kIn, {bits, true, {}, &gram}).codes,
              RoundWeights(weight, kOut, kIn, {bits, true, {}, nullptr}).codes);
  }
}

TEST(RoundWeights, InputsThatSayNothingBreakNothing) {
  constexpr size_t kOut = 6, kIn = 96;
  const std::vector<float> weight = Random(kOut * kIn, 7);
  std::vector<float> alike(4 * kIn, 3.0f), huge = Correlated(3, kIn, 1, 8), dead = Correlated(300, kIn, 4, 9);
  for (float& v : huge) v *= 1e6f;
  for (size_t i = 0; i < dead.size(); ++i) dead[i] *= i % kIn % 3 == 0 ? 0 : 1;
  for (const std::vector<float>& rows : {alike, huge, dead, std::vector<float>(kIn), std::vector<float>(kIn, 1e-12f)}) {
    const Gram gram = GramOf(rows, kIn);
    const WeightCodes fed = RoundWeights(weight, kOut, kIn, {4, true, {}, &gram});
    ExpectCodesInRange(fed, kOut, kIn, 4);
    const WeightCodes nearest = RoundWeights(weight, kOut, kIn, {4, true, {}, nullptr});
    EXPECT_LE(OutputError(weight, fed, gram), OutputError(weight, nearest, gram) * 1.001);
  }
}

TEST(RoundWeights, RowsOfZerosAndOfOneSign) {
  std::vector<float> weight(3 * 8);
  for (size_t i = 8; i < 16; ++i) weight[i] = static_cast<float>(i);    // all positive
  for (size_t i = 16; i < 24; ++i) weight[i] = -static_cast<float>(i);  // all negative
  for (int bits = 2; bits <= 8; ++bits) {
    const WeightCodes codes = RoundWeights(weight, 3, 8, {bits, true, {}, nullptr});
    ExpectCodesInRange(codes, 3, 8, bits);
    const std::vector<float> rounded = Dequantize(codes);
    for (size_t i = 0; i < 8; ++i) EXPECT_EQ(rounded[i], 0) << bits;
    for (size_t i = 8; i < 24; ++i) EXPECT_NEAR(rounded[i] / weight[i], 1, bits == 2 ? 0.5 : 0.25) << bits << " " << i;
  }
}

}  // namespace
}  // namespace intsam::internal
