// Bimodal integration: what counts as a peak, and that folded signs change keys but nothing that comes of them.
#include "converter/quantize/big.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "converter/convert.h"
#include "tests/converter/bimodal.h"
#include "tests/converter/float_results.h"

namespace intsam::internal {
namespace {

std::vector<AttentionSite> TokenToImage(const SamConfig& config) {
  std::vector<AttentionSite> sites = QuantizedAttentions(config);
  std::erase_if(sites, [](const AttentionSite& site) { return !site.token_to_image; });
  return sites;
}

// Normal values around each of these middles.
std::vector<float> Around(const std::vector<float>& middles, size_t each = 4000) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values;
  for (const float middle : middles) {
    for (size_t i = 0; i < each; ++i) values.push_back(middle + normal(random));
  }
  return values;
}

TEST(CountPeaks, OnePerMode) {
  EXPECT_EQ(CountPeaks(Around({0})), 1);
  EXPECT_EQ(CountPeaks(Around({100})), 1);
  EXPECT_EQ(CountPeaks(Around({-5, 5})), 2);
  EXPECT_EQ(CountPeaks(Around({-20, 0, 20})), 3);
}

TEST(CountPeaks, ScaleAndPlaceDoNotMatter) {
  for (const float scale : {1e-4f, 1.0f, -1e4f}) {
    std::vector<float> values = Around({-5, 5});
    for (float& v : values) v = 7 * scale + scale * v;
    EXPECT_EQ(CountPeaks(values), 2) << scale;
  }
}

TEST(CountPeaks, CloseModesAreOne) {
  EXPECT_EQ(CountPeaks(Around({-0.9f, 0.9f})), 1);
  // Two clear modes, but fewer than 32 of 128 grid points apart: a far pair of outliers stretches the grid.
  std::vector<float> values = Around({-5, 5});
  ASSERT_EQ(CountPeaks(values), 2);
  values.insert(values.end(), {-40, 40});
  EXPECT_EQ(CountPeaks(values), 1);
}

TEST(CountPeaks, LowPeaksDoNotCount) {
  std::vector<float> values = Around({-20, 20});
  ASSERT_EQ(CountPeaks(values), 2);
  values.resize(4000 + 40);  // the second mode has 1 % of the first one's values: less than 1 % of the sum
  EXPECT_EQ(CountPeaks(values), 1);
}

TEST(CountPeaks, NothingToSee) {
  EXPECT_EQ(CountPeaks(std::vector<float>(100, 3.5f)), 1);
  EXPECT_EQ(CountPeaks(std::vector<float>{2}), 1);
  EXPECT_EQ(CountPeaks(std::vector<float>{}), 1);
}

// The 128 grid points have no middle one: the two at the summit of a symmetric distribution are equally high.
TEST(CountPeaks, APlateauCountsOnce) {
  std::vector<float> values = Around({0});
  for (size_t i = 0, n = values.size(); i < n; ++i) values.push_back(-values[i]);
  EXPECT_EQ(CountPeaks(values), 1);
}

TEST(KeySigns, ZeroIsPositive) {
  SiteStatistics keys;
  keys.Add(std::vector<float>{1, -1, 0, 2, 3, -3, 0, -2}, 4);
  EXPECT_EQ(KeySigns(keys), (std::vector<float>{1, -1, 1, 1}));
}

TEST(FoldSigns, KeysTurnAndMasksStay) {
  const FloatModel model = SyntheticModel(MicroConfig(), 1);
  const FloatResults expected = Results(model);
  std::mt19937 random(3);
  for (const AttentionSite& site : QuantizedAttentions(model.config)) {
    if (site.group != SiteClass::kDecoder) continue;
    std::vector<float> signs(size_t{site.heads} * site.head_dim);
    for (float& sign : signs) sign = random() % 2 == 0 ? 1.0f : -1.0f;
    FloatModel folded = model;
    FoldSigns(folded, site, signs);
    for (const char* part : {".q_proj", ".k_proj"}) {
      const std::vector<float>&before = model.at(site.name + part + ".weight"),
            &after = folded.at(site.name + part + ".weight");
      const size_t in = before.size() / signs.size();
      for (size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], signs[i / in] * before[i]) << site.name;
    }
    EXPECT_LE(Distance(expected, Results(folded)), 1e-5) << site.name;
    FoldSigns(folded, site, signs);
    EXPECT_EQ(folded.tensors, model.tensors) << site.name;
  }
}

class Bimodal : public ::testing::Test {
 protected:
  void SetUp() override {
    MakeBimodal(model_, Seen(plain_).statistics, 5);
    options_.threads = 1;
    images_.push_back(SyntheticImage(model_.config, 1));
  }
  QuantizeReport Converted(const std::vector<std::string>& ablate) {
    options_.method = MakeMethod("ptq4sam", {}, ablate, "").value();
    FloatModel copy = model_;
    return Convert(copy, images_, options_, {}).value().report;
  }

  const FloatModel plain_ = SyntheticModel(MicroConfig(), 1);
  FloatModel model_ = plain_;
  ConvertOptions options_;
  std::vector<CalibrationImage> images_;
};

TEST_F(Bimodal, HasTheSameMasks) { EXPECT_LE(Distance(Results(plain_), Results(model_)), 1e-5); }

TEST_F(Bimodal, IsFoldedToOnePeak) {
  QuantizeReport report = Converted({});
  for (const auto& [name, r] : report.attentions) {
    const bool folded = name.find("token_to_image") != std::string::npos;
    EXPECT_EQ(r.key_peaks, folded ? 2 : 1) << name;
    EXPECT_EQ(r.key_peaks_after, 1) << name;
    EXPECT_EQ(r.flipped_channels > 0, folded) << name;
  }
  EXPECT_EQ(TokenToImage(model_.config).size(), 3u);
}

TEST_F(Bimodal, StaysAsItIsWithoutTheFeature) {
  QuantizeReport report = Converted({"big"});
  for (const AttentionSite& site : TokenToImage(model_.config)) {
    EXPECT_EQ(report.attentions.at(site.name).key_peaks_after, 2) << site.name;
    EXPECT_EQ(report.attentions.at(site.name).flipped_channels, 0u) << site.name;
  }
}

}  // namespace
}  // namespace intsam::internal
