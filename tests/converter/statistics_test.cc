// Observers: extremes are exact, percentiles come from a bounded and evenly thinned sample.
#include "converter/quantize/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace intsam::internal {
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
  site.Percentile(0.9772, lo, hi);  // two standard deviations; about twenty rows of the sample lie beyond
  EXPECT_NEAR(lo, -2, 0.3);
  EXPECT_NEAR(hi, 2, 0.3);
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

TEST(Statistics, ChannelsAreKeptApart) {
  SiteStatistics site;
  site.Add(std::vector<float>{1, -5, 3, 2, -4, 7}, 3);
  site.Add(std::vector<float>{0, -6, 5}, 3);
  EXPECT_EQ(site.channels(), 3u);
  EXPECT_EQ(site.channel_min(), (std::vector<float>{0, -6, 3}));
  EXPECT_EQ(site.channel_max(), (std::vector<float>{2, -4, 7}));
  EXPECT_EQ(site.ChannelMeans(), (std::vector<double>{1, -5, 5}));
  EXPECT_EQ(site.sample_rows(), 3u);
  EXPECT_EQ(std::vector<float>(site.sample().begin(), site.sample().end()),
            (std::vector<float>{1, -5, 3, 2, -4, 7, 0, -6, 5}));
}

TEST(Statistics, ExtremesOfEachCallAreAveraged) {
  SiteStatistics site;
  site.Add(std::vector<float>{-1, 2}, 1);
  site.Add(std::vector<float>{-3, 8}, 1);
  site.Add(std::vector<float>{4, 5}, 1);  // zero is inside: the least is 0
  EXPECT_DOUBLE_EQ(site.mean_min(), -4.0 / 3);
  EXPECT_DOUBLE_EQ(site.mean_max(), 5);
}

// Whole rows, as many of each call as of any other, whatever the size of a call.
TEST(Statistics, TheSampleCoversAllCallsEvenly) {
  struct Case {
    size_t calls, rows, channels;
  };
  for (const Case& c : {Case{10, 7, 3}, Case{300, 7, 2}, Case{1000, 5, 1}, Case{40, 4096, 16}, Case{50, 196, 2048},
                        Case{64, 64, 5000}}) {
    SiteStatistics site;
    for (size_t call = 0; call < c.calls; ++call) {
      std::vector<float> values(c.rows * c.channels);
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] =
            static_cast<float>(i % c.channels == 0 ? call : i / c.channels);  // the row, but in the first channel
      }
      site.Add(values, c.channels);
    }
    const size_t kept = site.sample_rows();
    const std::string what = std::to_string(c.calls) + " calls of " + std::to_string(c.rows);
    EXPECT_EQ(site.sample().size(), kept * c.channels) << what;
    EXPECT_LE(kept * c.channels, std::max<size_t>(262144, 16 * c.channels)) << what;
    EXPECT_GE(kept, std::min<size_t>({c.calls * c.rows, 500, 262144 / c.channels / 2})) << what;
    std::vector<double> per_call(c.calls), quarters(4);
    for (size_t r = 0; r < kept; ++r) {
      const auto row = site.sample().subspan(r * c.channels, c.channels);
      ++per_call[static_cast<size_t>(row[0])];
      ++quarters[static_cast<size_t>(row[0]) * 4 / c.calls];
      for (size_t i = 2; i < c.channels; ++i) ASSERT_EQ(row[i], row[1]) << what;  // one row, in one piece
    }
    const double share = static_cast<double>(kept) / static_cast<double>(c.calls);
    for (const double n : per_call) EXPECT_NEAR(n, share, 1 + share / 2) << what;
    for (const double n : quarters)
      EXPECT_NEAR(n, static_cast<double>(kept) / 4, 3 + 0.1 * static_cast<double>(kept)) << what;
  }
}

TEST(Statistics, AnUnseenSiteIsAnError) {
  Statistics statistics;
  const std::vector<float> values = {1};
  statistics.Add("seen", values, 1);
  EXPECT_TRUE(statistics.Require("seen").ok());
  EXPECT_EQ(statistics.Require("unseen").code(), Code::kInternal);
}

}  // namespace
}  // namespace intsam::internal
