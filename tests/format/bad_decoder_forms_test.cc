// Damaged records of decoder attentions whose projections are on the tokens' side (golden model "tokens").
#include <gtest/gtest.h>

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
const std::string kMixed = kTransformer + "layers.0.cross_attn_image_to_token.";

TEST(DecoderForms, AreThoseOfTheConverter) {
  auto opened = ReadModel(GoldenModel("tokens"));
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const MaskDecoder& d = opened->model.mask_decoder;
  EXPECT_EQ(d.layers[0].self_attn.form, DecoderAttention::kOnImage);
  EXPECT_EQ(d.layers[0].token_to_image.form, DecoderAttention::kOnImage);
  EXPECT_EQ(d.layers[0].image_to_token.form, DecoderAttention::kMixOnTokens);
  EXPECT_EQ(d.layers[1].token_to_image.form, DecoderAttention::kOnTokens);
  EXPECT_EQ(d.layers[1].image_to_token.form, DecoderAttention::kOnTokens);
  EXPECT_EQ(d.final_attn.form, DecoderAttention::kOnTokens);
}

TEST(DecoderForms, OtherThanTheTensors) {
  ExpectFieldsRefused({{kToImage + "form", 3}}, "form: 3 is outside 0..2");
  ExpectFieldsRefused({{kTransformer + "layers.1.self_attn.form", 2}}, "self_attn.form: 2 is outside 0..0");
  ExpectFieldsRefused({{kToImage + "form", 0}}, "cross_attn_token_to_image.");
  ExpectFieldsRefused({{kToTokens + "form", 0}}, "cross_attn_image_to_token.");
  ExpectFieldsRefused({{kMixed + "form", 2}}, "cross_attn_image_to_token.");
  // The tensors of form 1 are those of form 0 here, so only the proof can tell.
  ExpectFieldsRefused({{kTransformer + "layers.0.cross_attn_token_to_image.form", 1}},
                      "form: channel 0: token-to-image attention has no form 1");
}

TEST(DecoderForms, Probabilities) {
  for (const std::string& name : {kToImage, kToTokens, kMixed}) {
    ExpectFieldsRefused({{name + "softmax.variant", 1}}, "this form takes exact probabilities, but the variant is 1");
  }
  for (const std::string& name : {kToTokens, kMixed}) {
    ExpectFieldsRefused({{name + "softmax.mix.shift", 31}}, "this form has no codes of mixed values");
    ExpectFieldsRefused({{name + "softmax.out.lo", 2}}, "this form has no codes of mixed values");
  }
}

TEST(DecoderForms, SignedSites) {
  for (const std::string& site :
       {kToImage + "k_proj.in.out", kToImage + "v_proj.in.out", kToImage + "k_proj.rq.out", kToImage + "v_proj.rq.out",
        kToTokens + "q_proj.rq.out", kToTokens + "out_proj.rows.rq.out", kMixed + "out_proj.rows.rq.out"}) {
    SCOPED_TRACE(site);
    ExpectFieldsRefused({{site + ".zero", 127}}, "signed site");
    ExpectFieldsRefused({{site + ".lo", 0}}, "signed site");
  }
}

TEST(DecoderForms, SumsLeave32Bits) {
  for (const std::string& tensor :
       {kToImage + "k_proj.bias", kToTokens + "q_proj.bias", kToTokens + "q_proj.of_bias.bias",
        kToTokens + "out_proj.bias", kToTokens + "out_proj.mix.bias", kMixed + "out_proj.mix.bias"}) {
    SCOPED_TRACE(tensor);
    for (const int32_t bias : {INT32_MAX, INT32_MIN}) {
      ExpectRefused(Tokens().WithElement<int32_t>(tensor, 1, bias), Code::kDamaged, "channel 1: accumulator can reach");
    }
  }
  for (const std::string& site : {kToTokens + "out_proj.rq", kToTokens + "q_proj.of_bias.rq"}) {
    SCOPED_TRACE(site);
    ModelBytes bytes = GoldenModel("tokens");
    Tokens().SetElement<int32_t>(bytes, site + ".mult", 1, INT32_MAX);
    Tokens().SetElement<uint8_t>(bytes, site + ".shift", 1, 1);
    ExpectRefused(bytes, Code::kDamaged, "channel 1: requantized value can leave s32");
  }
}

}  // namespace
}  // namespace intsam::internal::testing
