#include "runtime/sam/steps.h"

namespace intsam::internal {

std::vector<DecoderStep> MaskDecoderSteps(const SamConfig& config) {
  std::vector<DecoderStep> steps;
  steps.push_back({{"prompt_encoder.point_embeddings"}, DecoderStepKind::kPromptTokens, 0});
  steps.push_back({{"prompt_encoder.mask_downscaling"}, DecoderStepKind::kDensePrompt, 0});
  for (uint32_t i = 0; i < config.decoder_depth; ++i) {
    const std::string layer = "mask_decoder.transformer.layers." + std::to_string(i);
    steps.push_back({{layer + ".self_attn"}, DecoderStepKind::kSelfAttention, i});
    steps.push_back({{layer + ".cross_attn_token_to_image"}, DecoderStepKind::kTokenToImage, i});
    steps.push_back({{layer + ".mlp"}, DecoderStepKind::kTokenMlp, i});
    steps.push_back({{layer + ".cross_attn_image_to_token"}, DecoderStepKind::kImageToToken, i});
  }
  steps.push_back({{"mask_decoder.transformer.final_attn_token_to_image"}, DecoderStepKind::kFinalTokenToImage, 0});
  steps.push_back({{"mask_decoder.output_hypernetworks_mlps"}, DecoderStepKind::kHypernetworks, 0});
  steps.push_back({{"mask_decoder.masks"}, DecoderStepKind::kMasks, 0});
  steps.push_back({{"mask_decoder.iou_prediction_head"}, DecoderStepKind::kIouHead, 0});
  return steps;
}

}  // namespace intsam::internal
