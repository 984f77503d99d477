// The hook sees every site that the integer runtime quantizes, with its shape; watching changes nothing, and what it
// writes is what the network goes on with. Also: the timer sees every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/encoder/layers.h"
#include "tests/reference/goldens.h"

namespace intsam::internal {
namespace {

struct Shape {
  size_t rows, channels;
  bool operator==(const Shape&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.rows << " x " << shape.channels; }

using Sites = std::map<std::string, Shape>;

void ExpectVit(const SamConfig& c, Sites* sites) {
  const size_t tokens = c.grid() * c.grid();
  Sites& s = *sites;
  s["image_encoder.x"] = {tokens, c.vit.embed_dim};
  for (uint32_t i = 0; i < c.vit.depth; ++i) {
    const std::string block = "image_encoder.blocks." + std::to_string(i);
    const size_t padding = c.grid() % c.attention_side(i) != 0 ? 1 : 0;
    s[block + ".attn.qkv.in"] = s[block + ".attn.proj.in"] = s[block + ".attn.q"] = {tokens, c.vit.embed_dim};
    s[block + ".attn.k"] = s[block + ".attn.v"] = {tokens + padding, c.vit.embed_dim};
    s[block + ".mlp.lin1.in"] = {tokens, c.vit.embed_dim};
    s[block + ".mlp.lin1.out"] = s[block + ".mlp.lin2.in"] = {tokens, c.vit.mlp_dim};
  }
}

void ExpectTinyVit(const SamConfig& c, Sites* sites) {
  const TinyVitConfig& t = c.tiny_vit;
  Sites& s = *sites;
  const auto cells = [&](uint32_t stage) { return size_t{c.stage_grid(stage)} * c.stage_grid(stage); };
  const auto separable = [&](const std::string& name, size_t pixels, size_t small, size_t in, size_t hidden) {
    s[name + ".conv1.in"] = {pixels, in};
    s[name + ".conv1.out"] = s[name + ".conv2.in"] = {pixels, hidden};
    s[name + ".conv2.out"] = s[name + ".conv3.in"] = {small, hidden};
  };
  s["image_encoder.patch_embed.seq.0.out"] =
      s["image_encoder.patch_embed.seq.2.in"] = {4 * cells(0), t.embed_dims[0] / 2};
  for (uint32_t i = 0; i < TinyVitConfig::kStages; ++i) {
    const std::string stage = "image_encoder.layers." + std::to_string(i);
    const size_t width = t.embed_dims[i];
    s[stage + ".x"] = {cells(i), width};
    if (i + 1 < TinyVitConfig::kStages)
      separable(stage + ".downsample", cells(i), cells(i + 1), width, t.embed_dims[i + 1]);
    for (uint32_t j = 0; j < t.depths[i]; ++j) {
      const std::string block = stage + ".blocks." + std::to_string(j);
      if (i == 0) {
        separable(block, cells(0), cells(0), width, t.expand_ratio * width);
        continue;
      }
      const size_t padding = c.stage_grid(i) % t.window_sizes[i] != 0 ? 1 : 0;
      s[block + ".attn.q"] = s[block + ".attn.proj.in"] = {cells(i), width};
      s[block + ".attn.qkv.in"] = s[block + ".attn.k"] = s[block + ".attn.v"] = {cells(i) + padding, width};
      s[block + ".local_conv.in"] = s[block + ".mlp.fc1.in"] = {cells(i), width};
      s[block + ".mlp.fc1.out"] = s[block + ".mlp.fc2.in"] = {cells(i), t.mlp_ratio * width};
    }
  }
}

// Every site of a point prompt with a mask input, written independently of the executor.
Sites ExpectedSites(const SamConfig& c, size_t prompt_tokens) {
  Sites sites;
  const size_t tokens = c.grid() * c.grid();
  const size_t few = 1 + c.num_masks() + prompt_tokens;
  if (c.family == kVit) {
    ExpectVit(c, &sites);
  } else {
    ExpectTinyVit(c, &sites);
  }
  sites["image_encoder.neck.0.in"] = {
      tokens, c.family == kVit ? c.vit.embed_dim : c.tiny_vit.embed_dims[TinyVitConfig::kStages - 1]};
  for (const char* s : {"0.out", "2.in", "2.out", "3.out"})
    sites[std::string("image_encoder.neck.") + s] = {tokens, c.prompt_embed_dim};

  const std::string mask = "prompt_encoder.mask_downscaling.";
  sites[mask + "0.out"] = sites[mask + "1.out"] = {4 * tokens, c.mask_in_chans / 4};
  sites[mask + "3.out"] = sites[mask + "4.out"] = {tokens, c.mask_in_chans};
  sites[mask + "6.out"] = {tokens, c.prompt_embed_dim};

  sites["mask_decoder.tokens"] = {few, c.prompt_embed_dim};
  sites["mask_decoder.keys"] = {tokens, c.prompt_embed_dim};
  const auto attention = [&](const std::string& name, size_t queries, size_t keys, size_t inner) {
    sites[name + ".q_proj.in"] = {queries, c.prompt_embed_dim};
    sites[name + ".k_proj.in"] = sites[name + ".v_proj.in"] = {keys, c.prompt_embed_dim};
    sites[name + ".q"] = sites[name + ".out_proj.in"] = {queries, inner};
    sites[name + ".k"] = sites[name + ".v"] = {keys, inner};
  };
  const auto token_rows = [&](const std::string& name, std::initializer_list<const char*> rows) {
    for (const char* row : rows) sites[name + row] = {few * c.decoder_num_heads, c.prompt_embed_dim};
  };
  const std::string transformer = "mask_decoder.transformer.";
  for (size_t i = 0; i < c.decoder_depth; ++i) {
    const std::string layer = transformer + "layers." + std::to_string(i);
    attention(layer + ".self_attn", few, few, c.prompt_embed_dim);
    attention(layer + ".cross_attn_token_to_image", few, tokens, c.cross_dim());
    attention(layer + ".cross_attn_image_to_token", tokens, few, c.cross_dim());
    token_rows(layer + ".cross_attn_token_to_image", {".q_rows", ".mix"});
    token_rows(layer + ".cross_attn_image_to_token", {".v_rows"});
    sites[layer + ".mlp.lin1.in"] = {few, c.prompt_embed_dim};
    sites[layer + ".mlp.lin2.in"] = {few, c.decoder_mlp_dim};
  }
  attention(transformer + "final_attn_token_to_image", few, tokens, c.cross_dim());
  token_rows(transformer + "final_attn_token_to_image", {".q_rows", ".mix"});
  const std::string upscaling = "mask_decoder.output_upscaling.";
  for (const char* s : {"0.out", "1.out", "3.in"}) sites[upscaling + s] = {4 * tokens, c.upscale1_dim()};
  for (const char* s : {"3.out", "4.out"}) sites[upscaling + s] = {16 * tokens, c.upscale2_dim()};
  for (size_t i = 0; i < c.num_masks(); ++i) {
    const std::string mlp = "mask_decoder.output_hypernetworks_mlps." + std::to_string(i) + ".layers.";
    sites[mlp + "0.out"] = sites[mlp + "1.out"] = {1, c.prompt_embed_dim};
    sites[mlp + "2.out"] = {1, c.upscale2_dim()};
  }
  for (size_t i = 0; i < c.iou_head_depth; ++i) {
    sites["mask_decoder.iou_prediction_head.layers." + std::to_string(i) + ".out"] = {
        1, i + 1 < c.iou_head_depth ? c.iou_head_hidden_dim : c.num_masks()};
  }
  sites["mask_decoder.masks"] = {c.num_masks(), size_t{c.low_res()} * c.low_res()};
  return sites;
}

// The golden MobileSAM has just been initialized: its attention changes the result by less than a test could tell.
const FloatModel& LivelyMicroMobile() {
  static const FloatModel model = SyntheticModel(testing::MicroMobileModel().config, 1);
  return model;
}

class Hook : public ::testing::TestWithParam<EncoderFamily> {
 protected:
  // Embedding, logits and IoU, one after the other.
  std::vector<float> Run() {
    std::vector<float> result = sam_.EncodeImage(golden_.rgb.data(), golden_.height, golden_.width);
    const FloatMasks masks = sam_.Decode(result, prompt_);
    result.insert(result.end(), masks.low_res.begin(), masks.low_res.end());
    result.insert(result.end(), masks.iou.begin(), masks.iou.end());
    return result;
  }

  const FloatModel& model_ = GetParam() == kVit ? testing::MicroModel() : LivelyMicroMobile();
  const testing::Golden golden_ = testing::MicroGolden(GetParam() == kVit ? "chelsea" : "mobile_chelsea");
  const FloatPrompt prompt_ = testing::GoldenPrompt(golden_, "refine");
  FloatSam sam_{model_, 1};
};

INSTANTIATE_TEST_SUITE_P(Families, Hook, ::testing::Values(kVit, kTinyVit),
                         [](const auto& test) { return test.param == kVit ? "Vit" : "TinyVit"; });

TEST_P(Hook, SeesEverySiteWithItsShapeAndChangesNothing) {
  const std::vector<float> expected = Run();
  std::map<std::string, Shape> seen;
  sam_.set_hook([&](std::string_view site, std::span<float> values, size_t channels) {
    ASSERT_EQ(values.size() % channels, 0u) << site;
    const Shape shape{values.size() / channels, channels};
    const auto [entry, is_new] = seen.emplace(site, shape);
    EXPECT_TRUE(is_new || entry->second == shape) << site;
  });
  EXPECT_LE(testing::RelativeError(Run(), expected), 1e-6);
  const std::map<std::string, Shape> sites = ExpectedSites(model_.config, 3);
  for (const auto& [site, shape] : sites) {
    ASSERT_TRUE(seen.contains(site)) << site;
    EXPECT_EQ(seen.at(site), shape) << site;
  }
  for (const auto& [site, shape] : seen) EXPECT_TRUE(sites.contains(site)) << site;
}

TEST_P(Hook, StreamsAreSeenAfterEverySumAndNorm) {
  std::map<std::string, size_t> calls;
  sam_.set_hook([&](std::string_view site, std::span<float>, size_t) { ++calls[std::string(site)]; });
  Run();
  const SamConfig& c = model_.config;
  if (c.family == kVit) {
    EXPECT_EQ(calls["image_encoder.x"], 1 + 2 * c.vit.depth);
  } else {
    EXPECT_EQ(calls["image_encoder.layers.0.x"], 1 + 2 * c.tiny_vit.depths[0]);  // before and behind GELU
    for (uint32_t i = 1; i < TinyVitConfig::kStages; ++i) {
      EXPECT_EQ(calls["image_encoder.layers." + std::to_string(i) + ".x"], 1 + 3 * c.tiny_vit.depths[i]) << i;
    }
  }
  EXPECT_EQ(calls["mask_decoder.tokens"], 1 + 6 * c.decoder_depth + 2);
  EXPECT_EQ(calls["mask_decoder.keys"], 1 + 2 * c.decoder_depth);
}

TEST_P(Hook, EveryValueWrittenIsUsed) {
  const std::vector<float> expected = Run();
  for (const auto& [changed, shape] : ExpectedSites(model_.config, 3)) {
    if (changed.ends_with("_rows") || changed.ends_with(".mix")) continue;  // shown, for projections that move
    sam_.set_hook([&site_changed = changed](std::string_view site, std::span<float> values, size_t) {
      if (site != site_changed) return;
      // Not constant along any axis: attention ignores a constant added to all keys, a norm one added to all channels.
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = 1.5f * values[i] + 0.25f * static_cast<float>(i * 7 % 11) - 1.0f;
    });
    EXPECT_GE(testing::RelativeError(Run(), expected), 1e-5) << changed;
  }
}

TEST_P(Hook, SoftmaxHookSeesRowsOfProbabilitiesAndWhatItWritesIsUsed) {
  const std::vector<float> expected = Run();
  std::map<std::string, double> sums;
  sam_.set_softmax_hook([&](std::string_view attention, std::span<float> probabilities) {
    for (const float p : probabilities) sums[std::string(attention)] += p;
  });
  EXPECT_LE(testing::RelativeError(Run(), expected), 1e-6);
  for (const auto& [queries, shape] : ExpectedSites(model_.config, 3)) {
    if (!queries.ends_with(".q")) continue;
    const std::string name = queries.substr(0, queries.size() - 2);
    ASSERT_TRUE(sums.contains(name)) << name;
    // One a query and head.
    EXPECT_NEAR(std::remainder(sums.at(name), static_cast<double>(shape.rows)), 0, 1e-2) << name;
    EXPECT_GE(sums.at(name), static_cast<double>(shape.rows) - 1e-2) << name;
    sam_.set_softmax_hook([&](std::string_view attention, std::span<float> probabilities) {
      if (attention != name) return;
      for (size_t i = 0; i < probabilities.size(); i += 2) probabilities[i] = 0;
    });
    EXPECT_GE(testing::RelativeError(Run(), expected), 1e-6) << name;
  }
  sam_.set_softmax_hook({});
  EXPECT_EQ(Run(), expected);
}

TEST_P(Hook, CanBeRemoved) {
  const std::vector<float> expected = Run();
  sam_.set_hook(
      [](std::string_view, std::span<float> values, size_t) { std::fill(values.begin(), values.end(), 0.0f); });
  Run();
  sam_.set_hook(nullptr);
  EXPECT_EQ(Run(), expected);
}

TEST_P(Hook, TimerSeesEveryStepInOrder) {
  std::vector<std::string> names;
  sam_.set_timer([&](const Step& step, int64_t nanoseconds) {
    EXPECT_GE(nanoseconds, 0) << step.name;
    names.push_back(step.name);
  });
  Run();
  std::vector<std::string> expected;
  for (const EncoderLayer& layer : EncoderLayers(model_.config)) expected.push_back(layer.step.name);
  for (const DecoderStep& step : MaskDecoderSteps(model_.config)) expected.push_back(step.name);
  EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace intsam::internal
