// What bad_values_test.cc does, on the encoder that MobileSAM has: its rules of configuration, and its proofs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/format/edited_model.h"

namespace intsam::internal::testing {
namespace {

const EditedModels& Mobile() {
  static const EditedModels models("mobile", PresetConfig("micro_mobile").value());
  return models;
}

const std::string kStage0 = "image_encoder.layers.0.", kStage1 = "image_encoder.layers.1.";

TEST(BadTinyVit, EveryRuleOfTheConfiguration) {
  const std::pair<const char*, FieldValues> cases[] = {
      {"image_size: 136", {{"config.image_size", 136}}},
      {"embed_dims: 24", {{"config.embed_dims.0", 24}}},
      {"embed_dims: 40", {{"config.embed_dims.3", 40}}},
      {"num_heads: 3", {{"config.num_heads.1", 3}}},
      {"num_heads: 16", {{"config.num_heads.2", 16}}},
      {"num_heads: 1", {{"config.embed_dims.3", 512}, {"config.num_heads.3", 1}}},
      {"prompt_embed_dim: 48", {{"config.prompt_embed_dim", 48}}},
  };
  for (const auto& [word, values] : cases) ExpectRefused(Mobile().WithFields(values), Code::kUnsupported, word);
}

TEST(BadTinyVit, OtherThanTheTensors) {
  const std::pair<FieldValues, const char*> cases[] = {
      {{{"config.window_sizes.1", 8}}, "layers.1.blocks.0.attn.attention_biases: shape"},
      {{{"config.num_heads.3", 8}}, "layers.3.blocks.0.attn.attention_biases: shape"},
      {{{"config.embed_dims.0", 32}}, "patch_embed.seq.0.bias: shape"},
      {{{"config.mlp_ratio", 2}}, "mlp.fc1.weight: shape"},
      {{{"config.expand_ratio", 2}}, "layers.0.blocks.0.conv1.weight: shape"},
      {{{"config.depths.2", 1}}, ""},
      {{{"config.depths.0", 2}}, ""},
      {{{"config.family", 0}}, ""}};
  for (const auto& [values, word] : cases) ExpectRefused(Mobile().WithFields(values), Code::kDamaged, word);
}

TEST(BadTinyVit, ZeroPoints) {
  for (const std::string& site :
       {std::string("image_encoder.patch_embed.seq.0.gelu.out"), kStage0 + "blocks.0.conv1.in.out",
        kStage0 + "blocks.0.conv1.gelu.out", kStage0 + "downsample.conv2.gelu.out", kStage1 + "blocks.1.attn.norm.out",
        kStage1 + "downsample.conv1.in.out", kStage1 + "blocks.0.mlp.gelu.out"}) {
    SCOPED_TRACE(site);
    ExpectRefused(Mobile().WithFields({{site + ".zero", 9}, {site + ".lo", 10}, {site + ".hi", 255}}), Code::kDamaged,
                  "zero point is outside lo..hi");
  }
  for (const std::string site : {"attn.q.rq.out", "attn.k.rq.out", "attn.v.rq.out", "attn.softmax.out"})
    ExpectRefused(
        Mobile().WithFields({{kStage1 + "blocks.0." + site + ".zero", 3}, {kStage1 + "blocks.0." + site + ".lo", 4}}),
        Code::kDamaged, "zero point is outside lo..hi");
}

TEST(BadTinyVit, BiasTipsTheSum) {
  for (const std::string& layer :
       {std::string("image_encoder.patch_embed.seq.0"), std::string("image_encoder.patch_embed.seq.2"),
        kStage0 + "blocks.0.conv1", kStage0 + "blocks.0.conv2", kStage0 + "blocks.0.conv3",
        kStage0 + "downsample.conv1", kStage0 + "downsample.conv2", kStage1 + "downsample.conv3",
        kStage1 + "blocks.0.attn.qkv", kStage1 + "blocks.1.attn.proj", kStage1 + "blocks.1.local_conv",
        kStage1 + "blocks.0.mlp.fc1", std::string("image_encoder.layers.3.blocks.0.mlp.fc2"),
        std::string("image_encoder.neck.2")}) {
    SCOPED_TRACE(layer);
    for (const int32_t bias : {INT32_MAX, INT32_MIN, -INT32_MAX})
      ExpectRefused(Mobile().WithElement<int32_t>(layer + ".bias", 1, bias), Code::kDamaged,
                    "channel 1: accumulator can reach");
  }
}

TEST(BadTinyVit, RequantizedValueLeaves32Bits) {
  for (const std::string& site : {std::string("image_encoder.patch_embed.seq.2.rq"), kStage0 + "blocks.0.conv3.rq",
                                  kStage0 + "downsample.conv3.rq", kStage1 + "blocks.0.attn.proj.rq",
                                  kStage1 + "blocks.1.local_conv.rq", kStage1 + "blocks.1.mlp.fc2.rq"}) {
    SCOPED_TRACE(site);
    ModelBytes bytes = GoldenModel("mobile");
    Mobile().SetElement<int32_t>(bytes, site + ".mult", 2, INT32_MAX);
    Mobile().SetElement<uint8_t>(bytes, site + ".shift", 2, 1);
    ExpectRefused(bytes, Code::kDamaged, "channel 2: requantized value can leave s32");
  }
  for (const std::string& site : {kStage0 + "blocks.0.conv1.in.rq", kStage1 + "downsample.conv1.in.rq"}) {
    SCOPED_TRACE(site);
    ExpectRefused(Mobile().WithFields({{site + ".mult", INT32_MAX}, {site + ".shift", 1}}), Code::kDamaged,
                  "requantized value can leave s32");
  }
}

// A weight of each depthwise convolution: the sum over its nine taps is what counts.
TEST(BadTinyVit, DepthwiseWeights) {
  ModelBytes bytes = GoldenModel("mobile");
  const std::string local = kStage1 + "blocks.0.local_conv.weight";
  const size_t weight = Mobile().names.tensor(local);
  auto* taps = reinterpret_cast<int16_t*>(bytes.tensor(weight));
  std::fill(taps, taps + bytes.entry(weight).bytes / 2, int16_t{2047});
  // Nine products of 2047 * 32767 stay inside s32; the bias that lies there already may be added.
  const Status status = ReadModel(bytes).status();
  EXPECT_TRUE(status.ok() || status.message().find("requantized value") != std::string::npos) << status.message();
  ExpectRefused(Mobile().WithElement<int16_t>(local, 3, 2048), Code::kDamaged, "..2048, allowed");
  ExpectRefused(Mobile().WithElement<int8_t>(kStage0 + "blocks.0.conv2.weight", 3, -128), Code::kDamaged, "holds -128");
}

TEST(BadTinyVit, BiasesOfAttention) {
  const std::string biases = kStage1 + "blocks.0.attn.attention_biases";
  ExpectRefused(Mobile().WithElement<int32_t>(biases, 5, (1 << 30) + 1), Code::kDamaged, "attention_biases: holds");
  EXPECT_TRUE(ReadModel(Mobile().WithElement<int32_t>(biases, 5, 1 << 30)).ok());
  EXPECT_TRUE(ReadModel(Mobile().WithElement<int32_t>(biases, 5, -(1 << 30))).ok());
}

TEST(BadTinyVit, UnitBits) {
  ExpectRefused(Mobile().WithFields({{"image_encoder.patch_embed.unit_bits", 13}}), Code::kDamaged,
                "unit_bits: 13 is outside 9..12");
  ExpectRefused(Mobile().WithFields({{kStage0 + "blocks.0.unit_bits", 8}}), Code::kDamaged,
                "unit_bits: 8 is outside 9..12");
  ExpectRefused(Mobile().WithFields({{kStage0 + "blocks.0.conv1.gelu.unit_bits", 8}}), Code::kDamaged,
                "unit_bits: 8 is outside 9..12");
}

}  // namespace
}  // namespace intsam::internal::testing
