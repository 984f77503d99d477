// Configurations, the order of layers and steps, and what the encoder's walkers make of the list.
#include <gtest/gtest.h>

#include "runtime/encoder/layers.h"
#include "runtime/exec/fused/image_encoder.h"
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

TEST(Layers, OfSamB) {
  const std::vector<EncoderLayer> layers = EncoderLayers(SamConfig{});
  ASSERT_EQ(layers.size(), 1u + 2 * 12 + 1);
  EXPECT_EQ(layers.front().step.name, "image_encoder.patch_embed");
  const auto& patch = std::get<PatchEmbed>(layers.front().kind);
  EXPECT_EQ(patch.grid, 64u);
  EXPECT_EQ(patch.in, 3u * 16 * 16);
  EXPECT_EQ(patch.out, 768u);
  for (uint32_t i = 0; i < 12; ++i) {
    const EncoderLayer &attention = layers[1 + 2 * i], &mlp = layers[2 + 2 * i];
    const std::string block = "blocks." + std::to_string(i);
    EXPECT_EQ(attention.step.name, "image_encoder." + block + ".attn");
    EXPECT_EQ(mlp.step.name, "image_encoder." + block + ".mlp");
    EXPECT_EQ(attention.group, block);
    EXPECT_EQ(mlp.group, block);
    const Windows& windows = std::get<WindowAttention>(attention.kind).windows;
    EXPECT_EQ(windows.side, i % 3 == 2 ? 64u : 14u);
    EXPECT_EQ(windows.heads, 12u);
    EXPECT_EQ(windows.head_dim, 64u);
    EXPECT_EQ(std::get<MlpBlock>(mlp.kind).hidden(), 3072u);
  }
  EXPECT_EQ(layers.back().step.name, "image_encoder.neck");
  EXPECT_EQ(std::get<Neck>(layers.back().kind).out(), 256u);
}

// Every token of every head is a query of exactly one task, and no task reaches outside the grid.
TEST(Layers, TasksOfWindowsCoverTheGrid) {
  for (const Windows& windows :
       {Windows{8, 3, 2, 16}, Windows{8, 4, 3, 16}, Windows{8, 8, 2, 16}, Windows{3, 3, 1, 4}, Windows{1, 1, 2, 4}}) {
    std::vector<int> seen(windows.heads * windows.tokens());
    for (uint32_t index = 0; index < windows.tasks(); ++index) {
      const Windows::Task task = windows.TaskAt(index);
      ASSERT_LE(task.y + task.last_row, windows.grid);
      ASSERT_LE(task.x + task.width, windows.grid);
      ASSERT_LE(task.last_row, windows.side);
      ASSERT_LT(task.head, windows.heads);
      for (uint32_t y = task.first_row; y < task.last_row; ++y) {
        for (uint32_t x = 0; x < task.width; ++x)
          ++seen[task.head * windows.tokens() + (task.y + y) * windows.grid + task.x + x];
      }
    }
    EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << windows.grid << " by " << windows.side;
  }
}

// A layer that swaps leaves its values in the spare buffer, which must hold what the next one reads.
TEST(Layers, BuffersHoldWhatEveryLayerNeeds) {
  const FusedMemory stays[] = {{.stream = 100, .spare = 7}, {.stream = 90, .spare = 60}};
  EXPECT_EQ(SizesOf(stays).stream, 100u);
  EXPECT_EQ(SizesOf(stays).spare, 60u);
  const FusedMemory swaps[] = {{.stream = 100, .spare = 30, .swaps = true},
                               {.stream = 40, .spare = 20, .swaps = true},
                               {.stream = 110, .spare = 5}};
  EXPECT_EQ(SizesOf(swaps).stream, 110u);
  EXPECT_EQ(SizesOf(swaps).spare, 40u);
}

std::vector<std::string> NamesOf(const std::vector<DecoderStep>& steps) {
  std::vector<std::string> names;
  for (const Step& step : steps) names.push_back(step.name);
  return names;
}

TEST(Steps, MaskDecoderOfSamB) {
  const std::string layers = "mask_decoder.transformer.layers.";
  EXPECT_EQ(NamesOf(MaskDecoderSteps(SamConfig{})),
            (std::vector<std::string>{
                "prompt_encoder.point_embeddings", "prompt_encoder.mask_downscaling", layers + "0.self_attn",
                layers + "0.cross_attn_token_to_image", layers + "0.mlp", layers + "0.cross_attn_image_to_token",
                layers + "1.self_attn", layers + "1.cross_attn_token_to_image", layers + "1.mlp",
                layers + "1.cross_attn_image_to_token", "mask_decoder.transformer.final_attn_token_to_image",
                "mask_decoder.output_hypernetworks_mlps", "mask_decoder.masks", "mask_decoder.iou_prediction_head"}));
}

TEST(Layers, AndStepsFollowTheConfiguration) {
  SamConfig config;
  config.vit.depth = 3, config.decoder_depth = 5;
  EXPECT_EQ(EncoderLayers(config).size(), 2u + 2 * 3);
  EXPECT_EQ(MaskDecoderSteps(config).size(), 6u + 4 * 5);
}

}  // namespace
}  // namespace intsam::internal
