// The proof about attention sums, on a model with more keys than the committed ones have: 576 in a window and 1024 in
// the image, where an AGQ sum does not fit s32 as it is.
#include "runtime/format/proof.h"

#include <gtest/gtest.h>

#include <string>

#include "kernels/numerics/fixed_point.h"
#include "tests/format/micro_model.h"

namespace intsam::internal::testing {
namespace {

TEST(ProofOfAttention, NeedsThePreShiftOfItsKeys) {
  SamConfig config = PresetConfig("micro").value();
  config.image_size = 512, config.vit.window_size = 24;
  const auto quantized = MakeModel(config, 4);
  IntegerModel& model = quantized->model;
  MaskDecoder& decoder = model.mask_decoder;
  const struct {
    const char* name;
    Softmax& softmax;
    uint32_t keys;
  } sites[] = {
      {"image_encoder.blocks.0.attn.softmax", AttentionOf(model, 0).softmax, 24 * 24},
      {"image_encoder.blocks.1.attn.softmax", AttentionOf(model, 1).softmax, 32 * 32},
      {"mask_decoder.transformer.layers.0.self_attn.softmax", decoder.layers[0].self_attn.softmax, MaxTokens(config)},
      {"mask_decoder.transformer.layers.1.cross_attn_token_to_image.softmax", decoder.layers[1].token_to_image.softmax,
       32 * 32},
      {"mask_decoder.transformer.layers.1.cross_attn_image_to_token.softmax", decoder.layers[1].image_to_token.softmax,
       MaxTokens(config)},
      {"mask_decoder.transformer.final_attn_token_to_image.softmax", decoder.final_attn.softmax, 32 * 32},
  };
  int refused = 0;
  for (const auto& [name, softmax, keys] : sites) {
    SCOPED_TRACE(name);
    const Softmax right = softmax;
    softmax.variant = Softmax::kAgq;
    const int64_t bound = int64_t{128} * 32767 * keys;
    for (softmax.pre_shift = 0; RoundingShiftRight(bound, static_cast<int>(softmax.pre_shift)) > INT32_MAX;
         ++softmax.pre_shift, ++refused) {
      const std::string expected =
          std::string(name) + ": channel 0: pre_shift is too small for sums that can reach " + std::to_string(bound);
      EXPECT_EQ(ProveModel(model).message(), expected);
    }
    EXPECT_TRUE(ProveModel(model).ok()) << ProveModel(model).message();
    softmax = right;
    // The codes of U8 are far smaller.
    softmax.variant = Softmax::kU8;
    EXPECT_TRUE(ProveModel(model).ok()) << ProveModel(model).message();
    softmax = right;
  }
  EXPECT_EQ(refused, 4);
}

}  // namespace
}  // namespace intsam::internal::testing
