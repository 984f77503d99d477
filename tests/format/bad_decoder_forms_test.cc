// Damaged records of decoder attentions whose projections are on the tokens' side, or whose values have 16 bits (golden
// model "tokens").
#include <gtest/gtest.h>

#include "runtime/format/proof.h"
#include "tests/format/edited_model.h"

namespace intsam::internal::testing {
namespace {

const EditedModels& Tokens() {
  static const EditedModels models("tokens");
  return models;
}

void ExpectFieldsRefused(const FieldValues& values, const std::string& word) {
  ExpectRefused(Tokens().WithFields(values), Code::kDamaged, word);
}

const std::string kTransformer = "mask_decoder.transformer.";
const std::string kToImage = kTransformer + "layers.1.cross_attn_token_to_image.";
const std::string kToTokens = kTransformer + "layers.1.cross_attn_image_to_token.";
const std::string kSelf = kTransformer + "layers.1.self_attn.";

TEST(DecoderForms, AreThoseOfTheConverter) {
  auto opened = ReadModel(GoldenModel("tokens"));
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const MaskDecoder& d = opened->model.mask_decoder;
  EXPECT_EQ(d.layers[0].self_attn.form, DecoderAttention::kInWords);
  EXPECT_EQ(d.layers[0].token_to_image.form, DecoderAttention::kOnImage);
  EXPECT_EQ(d.layers[0].image_to_token.form, DecoderAttention::kOnTokens);
  EXPECT_EQ(d.layers[1].token_to_image.form, DecoderAttention::kOnTokens);
  EXPECT_EQ(d.layers[1].image_to_token.form, DecoderAttention::kOnTokens);
  EXPECT_EQ(d.final_attn.form, DecoderAttention::kOnTokens);
}

TEST(DecoderForms, OtherThanTheTensors) {
  ExpectFieldsRefused({{kToImage + "form", 2}}, "form: 2 is outside 0..1");
  ExpectFieldsRefused({{kSelf + "form", 3}}, "self_attn.form: 3 is outside 0..2");
  ExpectFieldsRefused({{kSelf + "form", 1}}, "self_attn.");
  ExpectFieldsRefused({{kSelf + "form", 0}}, "self_attn.");
  ExpectFieldsRefused({{kToImage + "form", 0}}, "cross_attn_token_to_image.");
  ExpectFieldsRefused({{kToTokens + "form", 0}}, "cross_attn_image_to_token.");
  ExpectFieldsRefused({{kTransformer + "layers.0.cross_attn_token_to_image.form", 1}}, "cross_attn_token_to_image.");
}

TEST(DecoderForms, WhatIsReadOfStreams) {
  auto opened = ReadModel(GoldenModel("tokens"));
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  for (const DecoderLayer& layer : opened->model.mask_decoder.layers) {
    for (const DecoderAttention* a : {&layer.self_attn, &layer.token_to_image, &layer.image_to_token}) {
      const bool image_rows = a->on_tokens() && !a->image_asks();
      EXPECT_TRUE(a->q_in.as_values());
      EXPECT_EQ(a->k_in.as_values(), !image_rows);
      EXPECT_EQ(a->v_in.as_values(), !image_rows);
    }
    EXPECT_TRUE(layer.mlp_in.as_values());
  }
  for (const std::string& site : {kToImage + "q_proj.in", kToTokens + "v_proj.in", kTransformer + "layers.0.mlp.in"}) {
    SCOPED_TRACE(site);
    ExpectFieldsRefused({{site + ".form", 2}}, site + ".form: 2 is outside 0..1");
    ExpectFieldsRefused({{site + ".form", 0}}, site.substr(0, site.rfind('.') + 1));  // whose fields are not there
  }
}

TEST(DecoderForms, ImageRowsAreCodes) {
  for (const auto& [part, input] :
       {std::pair("k_proj.in", &DecoderAttention::k_in), std::pair("v_proj.in", &DecoderAttention::v_in)}) {
    SCOPED_TRACE(part);
    const ModelBytes bytes = GoldenModel("tokens");
    auto opened = ReadModel(bytes);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    (opened->model.mask_decoder.layers[1].token_to_image.*input).form = StreamInput::kValues;
    EXPECT_EQ(ProveModel(opened->model, nullptr).message(),
              kToImage + part + ".form: channel 0: image rows are codes here, but the form is 1");
  }
}

TEST(DecoderForms, Probabilities) {
  for (const std::string& name : {kToImage, kToTokens, kSelf}) {
    ExpectFieldsRefused({{name + "softmax.variant", 1}}, "this form takes exact probabilities, but the variant is 1");
  }
  ExpectFieldsRefused({{kToTokens + "softmax.mix.shift", 31}}, "this form has no codes of mixed values");
  ExpectFieldsRefused({{kToTokens + "softmax.out.lo", 2}}, "this form has no codes of mixed values");
  ExpectFieldsRefused({{kSelf + "softmax.out.hi", 254}}, "this form has no codes of mixed values");
}

TEST(DecoderForms, SelfAttentionHasNoImageSide) {
  const ModelBytes bytes = GoldenModel("tokens");
  auto opened = ReadModel(bytes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  opened->model.mask_decoder.layers[1].self_attn.form = DecoderAttention::kOnTokens;
  EXPECT_EQ(ProveModel(opened->model, nullptr).message(),
            kSelf + "form: channel 0: self-attention has no image side, but the form is 1");
}

TEST(DecoderForms, ScoresOfWordsStayIn32Bits) {
  const ModelBytes bytes = GoldenModel("tokens");
  for (const bool self : {true, false}) {
    auto opened = ReadModel(bytes);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    DecoderLayer& layer = opened->model.mask_decoder.layers[1];
    (self ? layer.self_attn : layer.image_to_token).head_dim = 515;
    EXPECT_NE(ProveModel(opened->model, nullptr).message().find("q_proj.words: channel 0: accumulator can reach"),
              std::string::npos);
  }
}

TEST(DecoderForms, SignedSites) {
  for (const std::string& site :
       {kToImage + "k_proj.in.out", kToImage + "v_proj.in.out", kToImage + "k_proj.rq.out", kToImage + "v_proj.rq.out",
        kToTokens + "k_proj.rq.out", kToTokens + "out_proj.rows.rq.out", kSelf + "k_proj.rq.out",
        kToImage + "softmax.out", kToTokens + "softmax.out", kSelf + "softmax.out"}) {
    SCOPED_TRACE(site);
    ExpectFieldsRefused({{site + ".zero", 127}}, "signed site");
    ExpectFieldsRefused({{site + ".lo", 0}}, "signed site");
  }
}

TEST(DecoderForms, SumsLeave32Bits) {
  for (const std::string& tensor : {kToImage + "k_proj.bias", kToTokens + "q_proj.bias", kToTokens + "out_proj.bias",
                                    kToTokens + "out_proj.mix.bias", kSelf + "q_proj.bias", kSelf + "v_proj.bias",
                                    kSelf + "out_proj.bias", kTransformer + "layers.0.mlp.lin1.bias"}) {
    SCOPED_TRACE(tensor);
    for (const int32_t bias : {INT32_MAX, INT32_MIN}) {
      ExpectRefused(Tokens().WithElement<int32_t>(tensor, 1, bias), Code::kDamaged, "channel 1: accumulator can reach");
    }
  }
  for (const std::string& site : {kToTokens + "out_proj.rq", kToImage + "out_proj.rq", kToTokens + "q_proj.words",
                                  kSelf + "q_proj.words", kSelf + "v_proj.words", kSelf + "out_proj.rq"}) {
    SCOPED_TRACE(site);
    ModelBytes bytes = GoldenModel("tokens");
    Tokens().SetElement<int32_t>(bytes, site + ".mult", 1, INT32_MAX);
    Tokens().SetElement<uint8_t>(bytes, site + ".shift", 1, 1);
    ExpectRefused(bytes, Code::kDamaged, "channel 1: requantized value can leave s32");
  }
}

}  // namespace
}  // namespace intsam::internal::testing
