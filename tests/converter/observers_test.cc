// Scales of activations: ranges hold zero, and the search beats the extremes by its own measure.
#include "converter/quantize/observers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace intsam::internal {
namespace {

// The measure of the search, by its definition.
double ErrorOf(std::span<const float> values, std::span<const double> importance, const ActivationScale& scale) {
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double weight = importance.empty() ? 1 : importance[i % importance.size()];
    error += weight * std::pow(double{FakeQuantize(values[i], scale)} - values[i], 2);
  }
  return error;
}

// Normal values with this share of them ten times wider.
std::vector<float> Values(size_t count, double wide, float shift, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::bernoulli_distribution is_wide(wide);
  std::vector<float> values(count);
  for (float& v : values) v = normal(random) * (is_wide(random) ? 10.0f : 1.0f) + shift;
  return values;
}

TEST(Observers, RangesHoldZero) {
  for (const int bits : {2, 4, 7, 8}) {
    const double levels = (1 << bits) - 1;
    for (const auto& [lo, hi] : {std::pair{-1.0, 3.0}, {0.5, 2.0}, {-4.0, -1.0}, {-1e6, 1.0}}) {
      const ActivationScale s = RangeScale(lo, hi, bits);
      EXPECT_EQ(s.bits, bits);
      EXPECT_GT(s.scale, 0);
      EXPECT_GE(s.zero, 0);
      EXPECT_LE(s.zero, levels);
      EXPECT_EQ(FakeQuantize(0, s), 0);
      // The ends are off by no more than the rounding of the zero point.
      EXPECT_NEAR((levels - s.zero) * s.scale, std::max(hi, 0.0), 0.5001 * s.scale) << lo << " " << hi << " " << bits;
      EXPECT_NEAR(-s.zero * s.scale, std::min(lo, 0.0), 0.5001 * s.scale) << lo << " " << hi << " " << bits;
    }
  }
}

TEST(Observers, AnEmptyRangeHasAScale) {
  for (const double end : {0.0, 1e-12}) {
    EXPECT_GT(RangeScale(-end, end, 8).scale, 0);
    EXPECT_EQ(FakeQuantize(0, RangeScale(-end, end, 8)), 0);
    EXPECT_GT(CentredScale(end, 8).scale, 0);
  }
}

TEST(Observers, CentredCodesAreTheRuntimes) {
  const ActivationScale s = CentredScale(6.35, 8);
  EXPECT_EQ(s.zero, 128);
  EXPECT_DOUBLE_EQ(s.scale, 0.05);
}

TEST(Observers, FakeQuantizeRoundsHalfUpAndSaturates) {
  const ActivationScale s{0.5, 3, 4};  // codes 0..15: -1.5..6
  const std::vector<float> values = {0.24f, 0.25f, -0.25f, -0.26f, 1.0f, 100, -100, 0};
  EXPECT_EQ(FakeQuantize(values, s), (std::vector<float>{0, 0.5f, 0, -0.5f, 1, 6, -1.5f, 0}));
}

TEST(Observers, TheSearchIsNeverWorseThanTheExtremes) {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    const size_t channels = 1 + seed % 5;
    const std::vector<float> values = Values(2000 * channels, 0.02 * (seed % 3), static_cast<float>(seed % 4), seed);
    std::vector<double> importance;
    for (size_t c = 0; c < channels && seed % 2 == 1; ++c)
      importance.push_back(std::pow(10, static_cast<double>(c) - 1));
    SiteStatistics site;
    site.Add(values, channels);
    for (const int bits : {2, 4, 6, 8}) {
      for (const bool centred : {false, true}) {
        const ActivationScale extremes = Observe(site, Observer::kMinMax, bits, centred, {});
        const ActivationScale s = LeastErrorScale(values, channels, importance, site.min(), site.max(), bits, centred);
        // The search measures in F32.
        EXPECT_LE(ErrorOf(values, importance, s), ErrorOf(values, importance, extremes) * 1.0001)
            << seed << " " << bits << " " << centred;
        EXPECT_TRUE(!centred || s.zero == 1 << (bits - 1)) << s.zero;
        EXPECT_EQ(FakeQuantize(0, s), 0);
      }
    }
  }
}

TEST(Observers, FewBitsClipOutliers) {
  const std::vector<float> values = Values(4000, 0.002, 0, 3);
  SiteStatistics site;
  site.Add(values, 1);
  const ActivationScale s = LeastErrorScale(values, 1, {}, site.min(), site.max(), 4, false);
  EXPECT_LT(15 * s.scale, 0.7 * (site.max() - site.min()));
  EXPECT_LT(ErrorOf(values, {}, s), 0.5 * ErrorOf(values, {}, RangeScale(site.min(), site.max(), 4)));
}

TEST(Observers, ImportanceShiftsTheChoice) {
  std::vector<float> values;  // a wide and a narrow channel
  const std::vector<float> wide = Values(3000, 0, 0, 1), narrow = Values(3000, 0, 0, 2);
  for (size_t i = 0; i < wide.size(); ++i) values.push_back(10 * wide[i]), values.push_back(narrow[i]);
  SiteStatistics site;
  site.Add(values, 2);
  const auto scale_for = [&](const std::vector<double>& importance) {
    return Observe(site, Observer::kMse, 4, true, importance).scale;
  };
  EXPECT_LT(scale_for({1e-4, 1}), 0.5 * scale_for({1, 1}));
  EXPECT_DOUBLE_EQ(scale_for({7, 7}), scale_for({}));
}

TEST(Observers, EachSeesWhatItSaysOfTheSite) {
  SiteStatistics site;
  std::vector<float> values = Values(30000, 0, 0, 4);
  site.Add(values, 1);
  values.assign(30000, 0.5f);
  values[8] = 50, values[9] = -40;
  site.Add(values, 1);
  const ActivationScale extremes = Observe(site, Observer::kMinMax, 8, false, {});
  EXPECT_DOUBLE_EQ(extremes.scale, 90.0 / 255);
  const ActivationScale average = Observe(site, Observer::kAverageMinMax, 8, false, {});
  EXPECT_DOUBLE_EQ(average.scale, (site.mean_max() - site.mean_min()) / 255);
  EXPECT_LT(average.scale, 0.7 * extremes.scale);
  EXPECT_LT(Observe(site, Observer::kPercentile, 8, false, {}).scale, 0.2 * extremes.scale);
  EXPECT_DOUBLE_EQ(Observe(site, Observer::kMinMax, 8, true, {}).scale, 50.0 / 127);
}

}  // namespace
}  // namespace intsam::internal
