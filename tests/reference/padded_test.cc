// A pruned ViT, with SlimSAM-77's heads of 14 channels and widths that are no multiples of 16, computes in its widened
// form what it computes as it is.
#include <gtest/gtest.h>

#include "converter/checkpoint/pad_vit.h"
#include "tests/checkpoint/edited_file.h"
#include "tests/checkpoint/test_support.h"
#include "tests/reference/goldens.h"

namespace intsam::internal {
namespace {

// Heads of 14 in a stream of 28 channels, like a small SlimSAM-77; windows that pad, and a global block.
SamConfig Pruned() {
  SamConfig config = testing::MicroModel().config;
  config.vit.embed_dim = 28;
  config.vit.mlp_dim = 88;
  return config;
}

// With its own widths. The stream has a mean that a norm must take away, and norms have lively gains.
FloatModel PrunedModel() {
  FloatModel model;
  model.config = Pruned();
  uint32_t state = 1;
  for (const TensorSpec& spec : SamTensorSpecs(model.config)) {
    size_t elements = 1, inputs = 1;
    for (size_t i = 0; i < spec.shape.size(); ++i) {
      elements *= spec.shape[i];
      if (i > 0) inputs *= spec.shape[i];
    }
    std::vector<float> values(elements);
    const bool gain = spec.shape.size() == 1 && spec.name.ends_with(".weight");
    const float scale = spec.shape.size() == 1 ? 0.5f : 1.7f / std::sqrt(static_cast<float>(inputs));
    for (float& value : values) {
      state = state * 1664525 + 1013904223;
      value = scale * (static_cast<float>(state >> 8) / 8388608.0f - 1.0f) + (gain ? 1.0f : 0.0f);
    }
    if (spec.name.ends_with("pos_embed")) {
      for (size_t i = 0; i < elements; ++i) values[i] += 0.7f * static_cast<float>(i / 28 % 5);
    }
    model.tensors.emplace(spec.name, std::move(values));
  }
  return model;
}

TEST(PadVit, RoundsWidthsUpOnlyWhereItMust) {
  for (const char* preset : {"vit_b", "vit_l", "vit_h", "tiny", "micro", "mobile_sam"}) {
    const SamConfig config = PresetConfig(preset).value();
    EXPECT_TRUE(PaddedConfig(config) == config) << preset;
  }
  SamConfig slim = PresetConfig("vit_b").value();  // SlimSAM-50
  slim.vit.embed_dim = 384, slim.vit.mlp_dim = 1536;
  EXPECT_TRUE(PaddedConfig(slim) == slim);
  slim.vit.embed_dim = 168, slim.vit.mlp_dim = 696;  // SlimSAM-77
  const SamConfig padded = PaddedConfig(slim);
  EXPECT_EQ(padded.vit.embed_dim, 192u);
  EXPECT_EQ(padded.vit.head_dim(), 16u);
  EXPECT_EQ(padded.vit.mlp_dim, 704u);
  EXPECT_TRUE(ValidateConfig(padded).ok());
  slim.vit.num_heads = 11;  // refused, not padded
  EXPECT_TRUE(PaddedConfig(slim) == slim);
  EXPECT_FALSE(ValidateConfig(slim).ok());
}

TEST(PadVit, ChangesNoResult) {
  const FloatModel pruned = PrunedModel();
  FloatModel padded = pruned;
  PadVit(&padded);
  EXPECT_EQ(padded.config.vit.embed_dim, 32u);
  EXPECT_EQ(padded.config.vit.mlp_dim, 96u);
  for (const TensorSpec& spec : SamTensorSpecs(padded.config)) {
    size_t elements = 1;
    for (const uint64_t n : spec.shape) elements *= n;
    EXPECT_EQ(padded.at(spec.name).size(), elements) << spec.name;
  }
  FloatSam a(pruned, 1), b(padded, 1);
  for (const char* photo : {"astronaut", "chelsea"}) {
    const testing::Golden golden = testing::MicroGolden(photo);
    const std::vector<float> expected = a.EncodeImage(golden.rgb.data(), golden.height, golden.width);
    EXPECT_LE(testing::RelativeError(b.EncodeImage(golden.rgb.data(), golden.height, golden.width), expected), 2e-6);
  }
}

// The sums of the queries' and keys' new channels, and the outputs of the norms' new channels, are exactly zero.
TEST(PadVit, NewChannelsStayZero) {
  FloatModel padded = PrunedModel();
  PadVit(&padded);
  FloatSam sam(padded, 1);
  size_t seen = 0;
  sam.set_hook([&](std::string_view site, std::span<float> values, size_t channels) {
    const bool inner = site.ends_with(".attn.q") || site.ends_with(".attn.k") || site.ends_with(".attn.v");
    const bool norm = site.ends_with("qkv.in") || site.ends_with("lin1.in");
    if (!site.starts_with("image_encoder.blocks") || (!inner && !norm)) return;
    ASSERT_EQ(channels, 32u);
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t c = i % 32;
      const bool is_new = inner ? c % 16 >= 14 : c >= 28;
      if (is_new) {
        ASSERT_EQ(values[i], 0.0f) << site << " channel " << c;
      }
    }
    ++seen;
  });
  const testing::Golden golden = testing::MicroGolden("chelsea");
  sam.EncodeImage(golden.rgb.data(), golden.height, golden.width);
  EXPECT_EQ(seen, 10u);
}

TEST(PadVit, IsDoneWhenACheckpointIsLoaded) {
  const FloatModel pruned = PrunedModel();
  std::vector<testing::FileTensor> tensors;
  for (const TensorSpec& spec : SamTensorSpecs(pruned.config)) {
    const std::vector<float>& values = pruned.at(spec.name);
    tensors.push_back({spec.name, "F32", spec.shape,
                       std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float))});
  }
  const testing::TemporaryFolder folder;
  const std::string path = folder.Write("slim.safetensors", testing::WriteTensors(tensors));
  auto model = LoadFloatModel(path, folder.Write("slim.json", R"({"decoder_num_heads": 2, "embed_dim": 28})"));
  ASSERT_TRUE(model.ok()) << model.status().message();
  FloatModel padded = pruned;
  PadVit(&padded);
  EXPECT_TRUE(model->config == padded.config);
  EXPECT_EQ(model->tensors, padded.tensors);
}

}  // namespace
}  // namespace intsam::internal
