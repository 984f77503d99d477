#include "runtime/sam/steps.h"

namespace intsam::internal {

std::vector<Step> ImageEncoderSteps(const SamConfig& config) {
  std::vector<Step> steps;
  steps.push_back({StepKind::kPatchEmbed, 0, "image_encoder.patch_embed"});
  for (uint32_t i = 0; i < config.vit.depth; ++i) {
    const std::string block = "image_encoder.blocks." + std::to_string(i);
    steps.push_back({StepKind::kAttention, i, block + ".attn"});
    steps.push_back({StepKind::kMlp, i, block + ".mlp"});
  }
  steps.push_back({StepKind::kNeck, 0, "image_encoder.neck"});
  return steps;
}

std::vector<Step> MaskDecoderSteps(const SamConfig& config) {
  std::vector<Step> steps;
  steps.push_back({StepKind::kPromptTokens, 0, "prompt_encoder.point_embeddings"});
  steps.push_back({StepKind::kDensePrompt, 0, "prompt_encoder.mask_downscaling"});
  for (uint32_t i = 0; i < config.decoder_depth; ++i) {
    const std::string layer = "mask_decoder.transformer.layers." + std::to_string(i);
    steps.push_back({StepKind::kSelfAttention, i, layer + ".self_attn"});
    steps.push_back({StepKind::kTokenToImage, i, layer + ".cross_attn_token_to_image"});
    steps.push_back({StepKind::kTokenMlp, i, layer + ".mlp"});
    steps.push_back({StepKind::kImageToToken, i, layer + ".cross_attn_image_to_token"});
  }
  steps.push_back({StepKind::kFinalTokenToImage, 0, "mask_decoder.transformer.final_attn_token_to_image"});
  steps.push_back({StepKind::kUpscale, 0, "mask_decoder.output_upscaling"});
  steps.push_back({StepKind::kHypernetworks, 0, "mask_decoder.output_hypernetworks_mlps"});
  steps.push_back({StepKind::kMaskProduct, 0, "mask_decoder.masks"});
  steps.push_back({StepKind::kIouHead, 0, "mask_decoder.iou_prediction_head"});
  return steps;
}

}  // namespace intsam::internal
