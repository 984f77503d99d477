// Changes that change nothing: the float reference's results before and after. Micro's windows of 3 on a grid of 8 have
// padding, where a change that forgets padding tokens shows.
#include "converter/quantize/reparametrize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "converter/quantize/calibrated_plan.h"
#include "converter/quantize/choose_reparametrization.h"
#include "tests/converter/float_results.h"

namespace intsam::internal {
namespace {

constexpr double kSame = 1e-4;

class Reparametrization : public ::testing::Test {
 protected:
  // 1/4..4
  std::vector<float> Factors(size_t count) {
    std::uniform_real_distribution<float> exponent(-2, 2);
    std::vector<float> factors(count);
    for (float& f : factors) f = std::exp2(exponent(random_));
    return factors;
  }
  // As far from zero as activations are.
  std::vector<float> Centre(size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> centre(count);
    for (float& c : centre) c = normal(random_);
    return centre;
  }
  // Something must have moved, or there is nothing to test.
  void ExpectSame(const FloatModel& changed, const std::string& what) {
    EXPECT_NE(changed.tensors, model_.tensors) << what;
    EXPECT_LE(Distance(expected_, Results(changed)), kSame) << what;
  }
  static size_t Width(const AttentionSite& site) { return size_t{site.heads} * site.head_dim; }

  const FloatModel model_ = SyntheticModel(MicroConfig(), 1);
  const FloatResults expected_ = Results(model_);
  const std::vector<AttentionSite> attentions_ = QuantizedAttentions(model_.config);
  const std::vector<LayerSite> layers_ = QuantizedLayers(model_.config);
  std::mt19937 random_{11};
};

TEST_F(Reparametrization, MicroHasPaddedWindows) {
  EXPECT_NE(model_.config.grid() % model_.config.vit.window_size, 0u);
  EXPECT_FALSE(model_.config.vit.is_global(0));
}

TEST_F(Reparametrization, CentredKeys) {
  for (const AttentionSite& site : attentions_) {
    FloatModel changed = model_;
    CentreKeys(changed, site, Centre(Width(site)));
    ExpectSame(changed, site.name);
  }
}

TEST_F(Reparametrization, CentredValues) {
  for (const AttentionSite& site : attentions_) {
    FloatModel changed = model_;
    CentreValues(changed, site, Centre(Width(site)));
    ExpectSame(changed, site.name);
  }
}

TEST_F(Reparametrization, ScaledQueries) {
  for (const AttentionSite& site : attentions_) {
    std::vector<float> factors = Factors(Width(site));
    for (size_t c = site.head_dim; site.side != 0 && c < factors.size(); ++c) factors[c] = factors[c % site.head_dim];
    FloatModel changed = model_;
    ScaleQueries(changed, site, factors);
    ExpectSame(changed, site.name);
  }
}

TEST_F(Reparametrization, ScaledValues) {
  for (const AttentionSite& site : attentions_) {
    FloatModel changed = model_;
    ScaleValues(changed, site, Factors(Width(site)));
    ExpectSame(changed, site.name);
  }
}

TEST_F(Reparametrization, MigratedNorms) {
  size_t migrated = 0;
  for (const LayerSite& layer : layers_) {
    if (layer.input_norm.empty()) continue;
    const size_t channels = model_.at(layer.input_norm + ".weight").size();
    for (const bool shift : {false, true}) {
      if (shift && !layer.may_shift) continue;
      FloatModel changed = model_;
      MigrateNorm(changed, layer, Factors(channels), shift ? Centre(channels) : std::vector<float>());
      ExpectSame(changed, layer.name);
      ++migrated;
    }
  }
  EXPECT_EQ(migrated,
            5u + 3u);  // all but padded windows and the neck's convolution, which has no bias, also with a shift
}

// Why NormMigration asks whether windows are padded.
TEST_F(Reparametrization, AShiftBeforePaddedWindowsIsSeen) {
  const LayerSite& layer = layers_.front();
  ASSERT_EQ(layer.input_norm, "image_encoder.blocks.0.norm1");
  ASSERT_FALSE(layer.may_shift);
  const size_t channels = model_.at(layer.input_norm + ".weight").size();
  FloatModel changed = model_;
  MigrateNorm(changed, layer, std::vector<float>(channels, 1), Centre(channels));
  EXPECT_GT(Distance(expected_, Results(changed)), 1e-2);
}

TEST_F(Reparametrization, ScaledHiddenChannels) {
  const std::string mlp = "mask_decoder.transformer.layers.0.mlp.";
  const std::vector<float> factors = Factors(model_.config.decoder_mlp_dim);
  std::vector<float> inverse;
  for (const float f : factors) inverse.push_back(1 / f);
  FloatModel changed = model_;
  ScaleRows(changed, mlp + "lin1", 0, inverse);
  ScaleColumns(changed, mlp + "lin2", 1, factors);
  ExpectSame(changed, mlp);
}

TEST_F(Reparametrization, RowsAndColumnsAreThoseMeant) {
  FloatModel changed = model_;
  const std::string qkv = "image_encoder.blocks.0.attn.qkv";
  const std::vector<float>&before = model_.at(qkv + ".weight"), &after = changed.at(qkv + ".weight");
  const size_t in = model_.config.vit.embed_dim;
  ScaleRows(changed, qkv, 5, std::vector<float>{2, 3});
  for (size_t i = 0; i < before.size(); ++i) {
    const float factor = i / in == 5 ? 2 : i / in == 6 ? 3 : 1;
    ASSERT_EQ(after[i], factor * before[i]) << i;
  }
  EXPECT_EQ(changed.at(qkv + ".bias")[6], 3 * model_.at(qkv + ".bias")[6]);
  const std::string conv = "image_encoder.neck.2";
  std::vector<float> factors(model_.config.prompt_embed_dim, 1);
  factors[1] = 4;
  ScaleColumns(changed, conv, 9, factors);
  for (size_t i = 0; i < changed.at(conv + ".weight").size(); ++i) {
    const float factor = i / 9 % factors.size() == 1 ? 4 : 1;
    ASSERT_EQ(changed.at(conv + ".weight")[i], factor * model_.at(conv + ".weight")[i]) << i;
  }
}

TEST_F(Reparametrization, AllThatTheMethodChooses) {
  for (const char* bits : {"w8a8", "w4a4"}) {
    const Observations seen = Seen(model_);
    QuantizeReport report;
    ReportKeys(model_.config, seen, false, report);
    FloatModel changed = model_;
    Reparametrize(changed, seen, ParseBitProfile(bits).value(), QuantizeMethod(), 1, {}, report);
    ExpectSame(changed, bits);
    size_t centred = 0, scaled = 0, migrated = 0;
    for (const auto& [name, r] : report.attentions) {
      centred += r.key_centre != "none" || r.value_centre != "none", scaled += r.queries_scaled || r.values_scaled;
    }
    for (const auto& [name, r] : report.layers) migrated += r.migration > 0;
    EXPECT_GT(centred, 0u) << bits;
    EXPECT_GT(scaled, 0u) << bits;
    EXPECT_GT(migrated, 0u) << bits;
  }
}

// A constant that one photo's values have and another's have not must stay where it is: what fits the one drives the
// other out of its range.
TEST_F(Reparametrization, ConstantsAreJudgedByOtherPhotos) {
  const AttentionSite& site = attentions_[1];
  std::vector<float> constant = Centre(Width(site));
  for (float& c : constant) c *= -20;  // what leaves: far more than the values differ from each other
  FloatModel far = model_;
  CentreValues(far, site, constant);
  const auto shifted = [&](std::span<const float> values, float share) {
    std::vector<float> out(values.begin(), values.end());
    for (size_t i = 0; i < out.size(); ++i) out[i] += share * constant[i % constant.size()];
    return out;
  };
  for (const bool alike : {true, false}) {
    Observations seen = Seen(far);
    const float share = alike ? 0 : 0.5f;  // of another photo: half as far from zero
    std::vector<AttentionSample>& samples = seen.attentions.at(site.name);
    ASSERT_EQ(samples.size(), 1u);
    AttentionSample other = samples.front();
    other.call = 1, other.v = shifted(other.v, share);
    samples.push_back(other);
    for (const std::string& name : {site.name + ".q", site.name + ".k", site.name + ".v", site.output + ".in"}) {
      const SiteStatistics& of_one = seen.statistics.at(name);
      const bool moves = name.ends_with(".v") || name.ends_with(".in");
      seen.statistics.Add(name, shifted(of_one.sample(), moves ? share : 0), of_one.channels());
    }
    QuantizeReport report;
    FloatModel changed = far;
    Reparametrize(changed, seen, ParseBitProfile("w8a8").value(), QuantizeMethod(), 1, {}, report);
    EXPECT_EQ(report.attentions.at(site.name).value_centre == "none", !alike);
  }
}

// Scaled queries change no probability, so they must not change what is chosen for the values.
TEST_F(Reparametrization, ValuesAreJudgedByTheRightProbabilities) {
  QuantizeMethod method;
  method.key_centring = method.value_centring = method.migration = false;  // channel scaling is left
  const auto chosen = [&](FloatModel model) {
    const Observations seen = Seen(model);
    QuantizeReport report;
    Reparametrize(model, seen, ParseBitProfile("w4a4").value(), method, 1, {}, report);
    return report.attentions;
  };
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const FloatModel even = SyntheticModel(MicroConfig(), seed);
    const auto expected = chosen(even);
    for (size_t i = 0; i < even.config.vit.depth; ++i) {
      std::vector<float> factors = Factors(Width(attentions_[i]));
      for (size_t c = 0; c < factors.size(); ++c) {
        const float wide = std::pow(factors[c], 3.0f);
        factors[c] = c < attentions_[i].head_dim ? wide : factors[c % attentions_[i].head_dim];
      }
      FloatModel uneven = even;
      ScaleQueries(uneven, attentions_[i], factors);
      const AttentionReport r = chosen(uneven).at(attentions_[i].name);
      EXPECT_TRUE(r.queries_scaled) << seed << " " << i;
      EXPECT_EQ(r.values_scaled, expected.at(attentions_[i].name).values_scaled) << seed << " " << i;
    }
  }
}

}  // namespace
}  // namespace intsam::internal
