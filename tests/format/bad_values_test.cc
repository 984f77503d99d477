// Files whose structure is right and whose values are not: configurations that the code cannot run, parameters outside
// their ranges, and models for which the proof against overflow fails. Of a ViT; bad_tiny_vit_test.cc has TinyViT's.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/format/edited_model.h"

namespace intsam::internal::testing {
namespace {

const EditedModels& Micro() {
  static const EditedModels models("micro", PresetConfig("micro").value());
  return models;
}

ModelBytes WithFields(const FieldValues& values) { return Micro().WithFields(values); }
template <class T>
void SetElement(ModelBytes& bytes, const std::string& name, size_t index, T value) {
  Micro().SetElement(bytes, name, index, value);
}
template <class T>
ModelBytes WithElement(const std::string& name, size_t index, T value) {
  return Micro().WithElement(name, index, value);
}

// Every rule of ValidateConfig, each by the configuration of the micro model with a field or two changed.
TEST(BadConfig, EveryRule) {
  const std::pair<const char*, FieldValues> cases[] = {
      {"image_size: 136", {{"config.image_size", 136}}},
      {"patch_size: 9", {{"config.image_size", 99}, {"config.patch_size", 9}}},
      {"more than 256 cells", {{"config.image_size", 1028}, {"config.patch_size", 4}}},
      {"embed_dim: 24", {{"config.embed_dim", 24}}},
      {"num_heads: 3 does not divide", {{"config.num_heads", 3}}},
      {"num_heads: 16", {{"config.num_heads", 16}}},
      {"head dimension above 256", {{"config.embed_dim", 512}, {"config.num_heads", 1}}},
      {"mlp_dim: 120", {{"config.mlp_dim", 120}}},
      {"window_size: 9", {{"config.window_size", 9}}},
      {"global_attn_mask", {{"config.global_attn_mask", 4}}},
      {"prompt_embed_dim: 48", {{"config.prompt_embed_dim", 48}}},
      {"prompt_embed_dim: 288", {{"config.prompt_embed_dim", 288}}},
      {"decoder_mlp_dim: 24", {{"config.decoder_mlp_dim", 24}}},
      {"attention_downsample: 3", {{"config.attention_downsample", 3}}},
      {"decoder_num_heads: 3", {{"config.decoder_num_heads", 3}}},
      {"decoder_num_heads: 8", {{"config.decoder_num_heads", 8}}},
      {"iou_head_hidden_dim: 30", {{"config.iou_head_hidden_dim", 30}}},
      {"iou_head_hidden_dim: 516", {{"config.iou_head_hidden_dim", 516}}},
      {"mask_in_chans: 18", {{"config.mask_in_chans", 18}}},
      {"mask_in_chans: 36", {{"config.mask_in_chans", 36}}},
  };
  for (const auto& [word, values] : cases) ExpectRefused(WithFields(values), Code::kUnsupported, word);
}

// A possible configuration that is not the one of the tensors.
TEST(BadConfig, OtherThanTheTensors) {
  ExpectRefused(WithFields({{"config.image_size", 144}}), Code::kDamaged, "patch_embed.position: shape");
  ExpectRefused(WithFields({{"config.window_size", 4}}), Code::kDamaged, "blocks.0.attn.rel_pos_h.table: shape");
  ExpectRefused(WithFields({{"config.global_attn_mask", 3}}), Code::kDamaged, "blocks.0.attn.rel_pos_h.table: shape");
  ExpectRefused(WithFields({{"config.embed_dim", 64}}), Code::kDamaged, "patch_embed.weight_high: shape");
  ExpectRefused(WithFields({{"config.mlp_dim", 256}}), Code::kDamaged, "blocks.0.mlp.lin1.weight: shape");
  ExpectRefused(WithFields({{"config.depth", 1}}), Code::kUnsupported, "global_attn_mask");
  ExpectRefused(WithFields({{"config.depth", 3}}), Code::kDamaged, "");
  ExpectRefused(WithFields({{"config.num_multimask_outputs", 4}}), Code::kDamaged, "mask_tokens: shape");
}

TEST(BadParameters, Named) {
  const std::string block = "image_encoder.blocks.0.";
  ExpectRefused(WithElement<int16_t>(block + "attn.q.rq.mult", 5, 0), Code::kDamaged, "attn.q.rq.mult: holds 0");
  ExpectRefused(WithElement<int16_t>(block + "attn.q.rq.mult", 5, -20000), Code::kDamaged, "holds -20000");
  ExpectRefused(WithElement<int16_t>(block + "attn.q.rq.mult", 5, (1 << 14) - 1), Code::kDamaged, "holds 16383");
  ExpectRefused(WithElement<uint8_t>(block + "attn.proj.rq.shift", 0, 63), Code::kDamaged, "..63, allowed 1..62");
  ExpectRefused(WithElement<uint8_t>(block + "attn.proj.rq.shift", 0, 0), Code::kDamaged, "holds 0..");
  ExpectRefused(WithElement<uint8_t>(block + "mlp.gelu.shift", 0, 25), Code::kDamaged, "..25, allowed 0..24");
  ExpectRefused(WithElement<int8_t>(block + "mlp.lin1.weight", 77, -128), Code::kDamaged, "holds -128");
  ExpectRefused(WithElement<int8_t>("image_encoder.patch_embed.weight_low", 3, 32), Code::kDamaged,
                "..32, allowed -32..31");
  ExpectRefused(WithElement<int16_t>("prompt_encoder.mask_downscaling.0.weight", 1, 2048), Code::kDamaged,
                "..2048, allowed");
  ExpectRefused(WithElement<int64_t>("mask_decoder.output_upscaling.1.bias", 0, INT64_MIN), Code::kDamaged,
                "output_upscaling.1.bias: holds");
  ExpectRefused(WithFields({{"image_encoder.blocks.0.attn.q.rq.k", 7}}), Code::kDamaged,
                "attn.q.rq.k: 7 is outside 0..6");
  ExpectRefused(WithFields({{"image_encoder.blocks.1.mlp.gelu.unit_bits", 8}}), Code::kDamaged,
                "unit_bits: 8 is outside 9..12");
  ExpectRefused(WithFields({{"image_encoder.blocks.1.norm1.out.zero", 256}}), Code::kDamaged, "norm1.out.zero: 256");
  ExpectRefused(WithFields({{"mask_decoder.iou_q15.shift", -1}}), Code::kDamaged, "iou_q15.shift: -1");
  ExpectRefused(WithFields({{"mask_decoder.iou_q15.mult", 0}}), Code::kDamaged, "iou_q15.mult: 0");
  ExpectRefused(WithFields({{"image_encoder.blocks.0.attn.softmax.mult", 1 << 16}}), Code::kDamaged,
                "softmax.mult: 65536");
}

TEST(BadParameters, ZeroPoints) {
  for (const char* site :
       {"image_encoder.blocks.0.norm1.out", "image_encoder.blocks.1.norm2.out", "image_encoder.blocks.0.mlp.gelu.out",
        "image_encoder.neck.in.out", "image_encoder.neck.1.out", "mask_decoder.transformer.layers.0.mlp.in.out",
        "mask_decoder.transformer.layers.1.mlp.lin1.rq.out",
        "mask_decoder.transformer.layers.0.self_attn.q_proj.in.out",
        "mask_decoder.transformer.final_attn_token_to_image.v_proj.in.out"}) {
    SCOPED_TRACE(site);
    const std::string zero = std::string(site) + ".zero", lo = std::string(site) + ".lo",
                      hi = std::string(site) + ".hi";
    ExpectRefused(WithFields({{zero, 9}, {lo, 10}, {hi, 255}}), Code::kDamaged, "zero point is outside lo..hi");
    ExpectRefused(WithFields({{zero, 11}, {lo, 0}, {hi, 10}}), Code::kDamaged, "zero point is outside lo..hi");
  }
  for (const char* site :
       {"image_encoder.blocks.0.attn.q.rq.out", "mask_decoder.transformer.layers.0.self_attn.q_proj.rq.out",
        "mask_decoder.transformer.layers.1.cross_attn_image_to_token.k_proj.rq.out",
        "mask_decoder.transformer.final_attn_token_to_image.v_proj.rq.out",
        "mask_decoder.transformer.layers.0.cross_attn_token_to_image.softmax.out"}) {
    SCOPED_TRACE(site);
    const std::string zero = std::string(site) + ".zero", lo = std::string(site) + ".lo";
    ExpectRefused(WithFields({{zero, 9}, {lo, 10}}), Code::kDamaged, "zero point is outside lo..hi");
    ExpectTaken(WithFields({{zero, 0}, {lo, 0}}));
    ExpectTaken(WithFields({{zero, 255}, {lo, 0}}));
  }
}

// Block 0 of the micro model is AGQ, block 1 is U8, the last attention E16 (make_golden.cc).
TEST(BadParameters, SoftmaxVariants) {
  const std::string agq = "image_encoder.blocks.0.attn.softmax.", u8 = "image_encoder.blocks.1.attn.softmax.",
                    e16 = "mask_decoder.transformer.final_attn_token_to_image.softmax.";
  const struct {
    std::string name;
    int64_t value;
    const char* word;
  } cases[] = {{agq + "variant", 3, "softmax.variant: 3 is outside 0..2"},
               {agq + "bits", 1, "softmax.bits: 1 is outside 2..8"},
               {agq + "bits", 9, "softmax.bits: 9 is outside 2..8"},
               {agq + "tau_shift", 5, "softmax.tau_shift: 5 is outside 0..4"},
               {agq + "log2_scale", -32768, "softmax.log2_scale: -32768"},
               {agq + "log2_scale", 4097, "softmax.log2_scale: 4097"},
               {u8 + "step_mult", 32767, "softmax.step_mult: 32767"},
               {u8 + "step_shift", 25, "softmax.step_shift: 25"},
               {u8 + "pre_shift", 16, "softmax.pre_shift: 16"},
               {agq + "step_mult", 32769, "blocks.0.attn.softmax: channel 0: only U8 has a step_mult, but it is 32769"},
               {agq + "step_shift", 1, "only U8 has a step_shift, but it is 1"},
               {u8 + "tau_shift", 1, "blocks.1.attn.softmax: channel 0: only AGQ has a tau_shift, but it is 1"},
               {u8 + "log2_scale", -1, "only AGQ has a log2_scale, but it is -1"},
               {e16 + "bits", 7, "final_attn_token_to_image.softmax: channel 0: E16 has no bits, but they are 7"},
               {e16 + "pre_shift", 1, "E16 has no pre_shift, but it is 1"},
               {e16 + "tau_shift", 2, "only AGQ has a tau_shift"},
               {e16 + "step_shift", -3, "only U8 has a step_shift"},
               {u8 + "variant", 0, "only U8 has"},
               {agq + "variant", 1, "only AGQ has"}};
  for (const auto& [name, value, word] : cases) ExpectRefused(WithFields({{name, value}}), Code::kDamaged, word);
}

TEST(ProofFails, WeightsAlone) {
  ModelBytes bytes = GoldenModel("micro");
  const size_t weight = Micro().names.tensor("image_encoder.patch_embed.weight_high");
  std::memset(bytes.tensor(weight), 127, bytes.entry(weight).bytes);
  ExpectRefused(bytes, Code::kDamaged, "accumulator can reach");
}

// A bias at either end of s32 tips the sum of every kind of layer over.
TEST(ProofFails, BiasTipsTheSum) {
  for (const char* layer :
       {"image_encoder.blocks.0.attn.qkv", "image_encoder.blocks.1.attn.proj", "image_encoder.blocks.0.mlp.lin1",
        "image_encoder.blocks.1.mlp.lin2", "image_encoder.neck.0", "image_encoder.neck.2",
        "prompt_encoder.mask_downscaling.0", "prompt_encoder.mask_downscaling.3", "prompt_encoder.mask_downscaling.6",
        "mask_decoder.transformer.layers.0.self_attn.q_proj",
        "mask_decoder.transformer.layers.1.cross_attn_token_to_image.out_proj",
        "mask_decoder.transformer.layers.0.cross_attn_image_to_token.k_proj",
        "mask_decoder.transformer.layers.1.mlp.lin1", "mask_decoder.transformer.layers.1.mlp.lin2",
        "mask_decoder.transformer.final_attn_token_to_image.v_proj", "mask_decoder.output_upscaling.0",
        "mask_decoder.output_upscaling.3", "mask_decoder.output_hypernetworks_mlps.3.layers.1.linear",
        "mask_decoder.iou_prediction_head.layers.2.linear"}) {
    SCOPED_TRACE(layer);
    for (const int32_t bias : {INT32_MAX, INT32_MIN, -INT32_MAX}) {
      ExpectRefused(WithElement<int32_t>(std::string(layer) + ".bias", 1, bias), Code::kDamaged,
                    "channel 1: accumulator can reach");
    }
  }
}

TEST(ProofFails, RequantizedValueLeaves32Bits) {
  for (const char* site :
       {"image_encoder.patch_embed.rq", "image_encoder.blocks.0.attn.proj.rq", "image_encoder.blocks.1.mlp.lin2.rq",
        "image_encoder.neck.0.rq", "image_encoder.neck.2.rq", "prompt_encoder.mask_downscaling.0.rq",
        "prompt_encoder.mask_downscaling.3.rq", "prompt_encoder.mask_downscaling.6.rq",
        "mask_decoder.transformer.layers.0.self_attn.out_proj.rq", "mask_decoder.transformer.layers.1.mlp.lin2.rq",
        "mask_decoder.output_upscaling.0.rq", "mask_decoder.output_upscaling.3.rq", "mask_decoder.mask_product",
        "mask_decoder.output_hypernetworks_mlps.0.layers.2.rq", "mask_decoder.iou_prediction_head.layers.0.rq"}) {
    SCOPED_TRACE(site);
    ModelBytes bytes = GoldenModel("micro");
    SetElement<int32_t>(bytes, std::string(site) + ".mult", 2, INT32_MAX);
    SetElement<uint8_t>(bytes, std::string(site) + ".shift", 2, 1);
    ExpectRefused(bytes, Code::kDamaged, "channel 2: requantized value can leave s32");
  }
  for (const char* site : {"image_encoder.neck.in.rq", "image_encoder.blocks.0.attn.rel_pos_h.rq",
                           "image_encoder.blocks.1.attn.rel_pos_w.rq", "prompt_encoder.token_pe",
                           "prompt_encoder.image_pe", "mask_decoder.transformer.layers.0.self_attn.q_proj.in.rq",
                           "mask_decoder.transformer.layers.1.mlp.in.rq", "mask_decoder.iou_q15"}) {
    SCOPED_TRACE(site);
    const std::string mult = std::string(site) + ".mult", shift = std::string(site) + ".shift";
    ExpectRefused(WithFields({{mult, INT32_MAX}, {shift, 1}}), Code::kDamaged, "requantized value can leave s32");
  }
}

// Each relative position stays inside s32, their sum with q.k does not.
TEST(ProofFails, LogitsLeave32Bits) {
  for (int64_t shift = 1; shift <= 62; ++shift) {
    const ModelBytes bytes = WithFields({{"image_encoder.blocks.1.attn.rel_pos_h.rq.mult", INT32_MAX},
                                         {"image_encoder.blocks.1.attn.rel_pos_h.rq.shift", shift},
                                         {"image_encoder.blocks.1.attn.rel_pos_w.rq.mult", INT32_MAX},
                                         {"image_encoder.blocks.1.attn.rel_pos_w.rq.shift", shift}});
    if (ReadModel(bytes).status().message().find("requantized value") != std::string::npos) continue;
    // The smallest shift that is fine alone gives values above 2^30 or, where the tables differ, one of them does.
    ExpectRefused(bytes, Code::kDamaged, "blocks.1.attn: channel 0: logits can reach");
    return;
  }
  FAIL() << "no shift keeps one relative position inside s32";
}

TEST(ProofFails, LayerNormGainAndBias) {
  for (const char* norm : {"image_encoder.blocks.0.norm1", "image_encoder.blocks.1.norm2", "image_encoder.neck.1"}) {
    SCOPED_TRACE(norm);
    ModelBytes bytes = GoldenModel("micro");
    SetElement<int16_t>(bytes, std::string(norm) + ".gain", 4, 1);
    SetElement<int32_t>(bytes, std::string(norm) + ".bias", 4, INT32_MAX);
    ExpectRefused(bytes, Code::kDamaged, "channel 4: gain and bias leave s32");
    SetElement<int32_t>(bytes, std::string(norm) + ".bias", 4, INT32_MIN);
    ExpectRefused(bytes, Code::kDamaged, "channel 4: gain and bias leave s32");
  }
}

}  // namespace
}  // namespace intsam::internal::testing
