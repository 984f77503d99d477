// Configurations and the order of steps.
#include <gtest/gtest.h>

#include "runtime/sam/config.h"
#include "runtime/sam/steps.h"

namespace intsam::internal {
namespace {

TEST(Config, PresetsAreValid) {
  for (const char* name : {"vit_b", "vit_l", "vit_h", "tiny", "micro"}) {
    const auto config = PresetConfig(name);
    ASSERT_TRUE(config.ok()) << name;
    EXPECT_TRUE(ValidateConfig(config.value()).ok()) << name << ": " << ValidateConfig(config.value()).message();
  }
  const Status unknown = PresetConfig("vit_g").status();
  EXPECT_EQ(static_cast<int>(unknown.code()), static_cast<int>(Code::kUsage));
  EXPECT_NE(unknown.message().find("vit_g"), std::string::npos);
}

// Source of the numbers: facebookresearch/segment-anything, build_sam.py.
TEST(Config, OfficialSizes) {
  const SamConfig b = PresetConfig("vit_b").value(), l = PresetConfig("vit_l").value(),
                  h = PresetConfig("vit_h").value();
  EXPECT_EQ(b.grid(), 64u);
  EXPECT_EQ(b.vit.head_dim(), 64u);
  EXPECT_EQ(b.low_res(), 256u);
  EXPECT_EQ(b.num_masks(), 4u);
  EXPECT_EQ(h.vit.head_dim(), 80u);
  const auto globals = [](const SamConfig& c) {
    std::vector<uint32_t> blocks;
    for (uint32_t i = 0; i < c.vit.depth; ++i) {
      if (c.vit.is_global(i)) blocks.push_back(i);
      EXPECT_EQ(c.attention_side(i), c.vit.is_global(i) ? 64u : 14u);
    }
    return blocks;
  };
  EXPECT_EQ(globals(b), (std::vector<uint32_t>{2, 5, 8, 11}));
  EXPECT_EQ(globals(l), (std::vector<uint32_t>{5, 11, 17, 23}));
  EXPECT_EQ(globals(h), (std::vector<uint32_t>{7, 15, 23, 31}));
}

// Every rule is tested by name in tests/format; here, that a message names field, value and reason.
TEST(Config, RefusalIsASentence) {
  SamConfig config;
  config.vit.num_heads = 7;
  const Status status = ValidateConfig(config);
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(Code::kUnsupported));
  EXPECT_EQ(status.message(), "config: num_heads: 7 does not divide embed_dim");
}

std::vector<std::string> NamesOf(const std::vector<Step>& steps) {
  std::vector<std::string> names;
  for (const Step& step : steps) names.push_back(step.name);
  return names;
}

TEST(Steps, ImageEncoderOfSamB) {
  const std::vector<Step> steps = ImageEncoderSteps(SamConfig{});
  ASSERT_EQ(steps.size(), 1u + 2 * 12 + 1);
  EXPECT_EQ(steps.front().name, "image_encoder.patch_embed");
  EXPECT_EQ(steps.back().name, "image_encoder.neck");
  for (uint32_t i = 0; i < 12; ++i) {
    const std::string block = "image_encoder.blocks." + std::to_string(i);
    EXPECT_EQ(steps[1 + 2 * i].name, block + ".attn");
    EXPECT_EQ(steps[1 + 2 * i].kind, StepKind::kAttention);
    EXPECT_EQ(steps[1 + 2 * i].layer, i);
    EXPECT_EQ(steps[2 + 2 * i].name, block + ".mlp");
    EXPECT_EQ(steps[2 + 2 * i].kind, StepKind::kMlp);
    EXPECT_EQ(steps[2 + 2 * i].layer, i);
  }
}

TEST(Steps, MaskDecoderOfSamB) {
  const std::string layers = "mask_decoder.transformer.layers.";
  EXPECT_EQ(NamesOf(MaskDecoderSteps(SamConfig{})),
            (std::vector<std::string>{
                "prompt_encoder.point_embeddings", "prompt_encoder.mask_downscaling", layers + "0.self_attn",
                layers + "0.cross_attn_token_to_image", layers + "0.mlp", layers + "0.cross_attn_image_to_token",
                layers + "1.self_attn", layers + "1.cross_attn_token_to_image", layers + "1.mlp",
                layers + "1.cross_attn_image_to_token", "mask_decoder.transformer.final_attn_token_to_image",
                "mask_decoder.output_upscaling", "mask_decoder.output_hypernetworks_mlps", "mask_decoder.masks",
                "mask_decoder.iou_prediction_head"}));
}

TEST(Steps, FollowTheConfiguration) {
  SamConfig config;
  config.vit.depth = 3, config.decoder_depth = 5;
  EXPECT_EQ(ImageEncoderSteps(config).size(), 2u + 2 * 3);
  EXPECT_EQ(MaskDecoderSteps(config).size(), 7u + 4 * 5);
}

}  // namespace
}  // namespace intsam::internal
