// Observers: extremes are exact, percentiles come from a bounded and evenly thinned sample.
#include "converter/quantize/statistics.h"

#include <gtest/gtest.h>

#include <random>

namespace intsam {
namespace {

TEST(Statistics, ExtremesAreExactAndHoldZero) {
  SiteStatistics site;
  const std::vector<float> positive = {3, 5, 4};
  site.Add(positive, 1);
  EXPECT_EQ(site.min(), 0);
  EXPECT_EQ(site.max(), 5);
  const std::vector<float> wide = {-7, 2};
  site.Add(wide, 1);
  EXPECT_EQ(site.min(), -7);
  EXPECT_EQ(site.max_abs(), 7);
  double lo, hi;
  site.Percentile(1, lo, hi);
  EXPECT_EQ(lo, -7);
  EXPECT_EQ(hi, 5);
}

TEST(Statistics, PercentilesSurviveThinning) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  SiteStatistics site;
  std::vector<float> values(6000);
  for (int call = 0; call < 400; ++call) {  // far more than the sample holds
    for (float& v : values) v = normal(random);
    site.Add(values, 100);
  }
  double lo, hi;
  site.Percentile(0.9987, lo, hi);  // three standard deviations
  EXPECT_NEAR(lo, -3, 0.15);
  EXPECT_NEAR(hi, 3, 0.15);
  EXPECT_LT(hi, site.max());
}

TEST(Statistics, OneOutlierDoesNotMoveAPercentile) {
  SiteStatistics site;
  std::vector<float> values(10000, 1.0f);
  values[77] = 1e6f;
  site.Add(values, 1);
  double lo, hi;
  site.Percentile(0.999, lo, hi);
  EXPECT_EQ(hi, 1);
  EXPECT_EQ(site.max(), 1e6);
}

TEST(Statistics, AnUnseenSiteIsAnError) {
  Statistics statistics;
  const std::vector<float> values = {1};
  statistics.Add("seen", values, 1);
  EXPECT_TRUE(statistics.Require("seen").ok());
  EXPECT_EQ(statistics.Require("unseen").code(), Code::kInternal);
}

}  // namespace
}  // namespace intsam
