// The official state dict of one SAM, key by key, in the order in which the original package's state_dict() lists it.
// Sources: facebookresearch/segment-anything, modeling/{image_encoder,prompt_encoder,mask_decoder,transformer}.py;
// ChaoningZhang/MobileSAM, mobile_sam/modeling/tiny_vit_sam.py.
#include <string>
#include <variant>

#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/layers.h"

namespace intsam::internal {
namespace {

void AddEncoder(const SamConfig& c, SpecList* list) {
  for (const EncoderLayer& layer : EncoderLayers(c)) {
    std::visit([&](const auto& record) { AddKeys(record, layer.path(), *list); }, layer.kind);
  }
}

void AddPromptEncoder(const SamConfig& c, SpecList* list) {
  const std::string root = "prompt_encoder.";
  const uint64_t width = c.prompt_embed_dim, quarter = c.mask_in_chans / 4;
  list->Tensor(root + "pe_layer.positional_encoding_gaussian_matrix", {2, width / 2});
  for (int i = 0; i < 4; ++i) list->Tensor(root + "point_embeddings." + std::to_string(i) + ".weight", {1, width});
  list->Tensor(root + "not_a_point_embed.weight", {1, width});
  list->WeightAndBias(root + "mask_downscaling.0", {quarter, 1, 2, 2}, quarter);
  list->Norm(root + "mask_downscaling.1", quarter);
  list->WeightAndBias(root + "mask_downscaling.3", {c.mask_in_chans, quarter, 2, 2}, c.mask_in_chans);
  list->Norm(root + "mask_downscaling.4", c.mask_in_chans);
  list->WeightAndBias(root + "mask_downscaling.6", {width, c.mask_in_chans, 1, 1}, width);
  list->Tensor(root + "no_mask_embed.weight", {1, width});
}

void AddMaskDecoder(const SamConfig& c, SpecList* list) {
  const std::string root = "mask_decoder.";
  const uint64_t width = c.prompt_embed_dim;
  for (uint32_t i = 0; i < c.decoder_depth; ++i) {
    const std::string layer = root + "transformer.layers." + std::to_string(i) + ".";
    list->Attention(layer + "self_attn", width, width);
    list->Norm(layer + "norm1", width);
    list->Attention(layer + "cross_attn_token_to_image", width, c.cross_dim());
    list->Norm(layer + "norm2", width);
    list->Linear(layer + "mlp.lin1", c.decoder_mlp_dim, width);
    list->Linear(layer + "mlp.lin2", width, c.decoder_mlp_dim);
    list->Norm(layer + "norm3", width);
    list->Norm(layer + "norm4", width);
    list->Attention(layer + "cross_attn_image_to_token", width, c.cross_dim());
  }
  list->Attention(root + "transformer.final_attn_token_to_image", width, c.cross_dim());
  list->Norm(root + "transformer.norm_final_attn", width);
  list->Tensor(root + "iou_token.weight", {1, width});
  list->Tensor(root + "mask_tokens.weight", {c.num_masks(), width});
  // Transposed convolutions: [in, out, 2, 2].
  list->WeightAndBias(root + "output_upscaling.0", {width, c.upscale1_dim(), 2, 2}, c.upscale1_dim());
  list->Norm(root + "output_upscaling.1", c.upscale1_dim());
  list->WeightAndBias(root + "output_upscaling.3", {c.upscale1_dim(), c.upscale2_dim(), 2, 2}, c.upscale2_dim());
  for (uint32_t i = 0; i < c.num_masks(); ++i) {
    list->Mlp(root + "output_hypernetworks_mlps." + std::to_string(i), width, width, c.upscale2_dim(), 3);
  }
  list->Mlp(root + "iou_prediction_head", width, c.iou_head_hidden_dim, c.num_masks(), c.iou_head_depth);
}

}  // namespace

std::vector<TensorSpec> SamTensorSpecs(const SamConfig& config) {
  SpecList list;
  AddEncoder(config, &list);
  AddPromptEncoder(config, &list);
  AddMaskDecoder(config, &list);
  return list.Take();
}

}  // namespace intsam::internal
