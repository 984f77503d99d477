// The official state dict of one SAM, key by key, in the order in which the original package's state_dict() lists it.
// Source: facebookresearch/segment-anything, modeling/{image_encoder,prompt_encoder,mask_decoder,transformer}.py.
#include <string>
#include <utility>

#include "converter/checkpoint/sam_checkpoint.h"

namespace intsam::internal {
namespace {

using Shape = std::vector<uint64_t>;

class SpecList {
 public:
  void Tensor(const std::string& name, Shape shape) { specs_.push_back({name, std::move(shape)}); }

  void WeightAndBias(const std::string& name, Shape weight, uint64_t bias) {
    Tensor(name + ".weight", std::move(weight));
    Tensor(name + ".bias", {bias});
  }
  void Linear(const std::string& name, uint64_t out, uint64_t in) { WeightAndBias(name, {out, in}, out); }
  void Norm(const std::string& name, uint64_t width) { WeightAndBias(name, {width}, width); }

  // The decoder's attention, whose inner width may be smaller than its outer one.
  void Attention(const std::string& name, uint64_t width, uint64_t inner) {
    for (const char* projection : {".q_proj", ".k_proj", ".v_proj"}) Linear(name + projection, inner, width);
    Linear(name + ".out_proj", width, inner);
  }

  void Mlp(const std::string& name, uint64_t in, uint64_t hidden, uint64_t out, uint32_t depth) {
    for (uint32_t i = 0; i < depth; ++i) {
      Linear(name + ".layers." + std::to_string(i), i + 1 == depth ? out : hidden, i == 0 ? in : hidden);
    }
  }

  std::vector<TensorSpec> Take() { return std::move(specs_); }

 private:
  std::vector<TensorSpec> specs_;
};

void AddImageEncoder(const SamConfig& c, SpecList* list) {
  const std::string root = "image_encoder.";
  list->Tensor(root + "pos_embed", {1, c.grid(), c.grid(), c.vit.embed_dim});
  list->WeightAndBias(root + "patch_embed.proj", {c.vit.embed_dim, 3, c.vit.patch_size, c.vit.patch_size}, c.vit.embed_dim);
  for (uint32_t i = 0; i < c.vit.depth; ++i) {
    const std::string block = root + "blocks." + std::to_string(i) + ".";
    const uint64_t distances = 2 * uint64_t{c.attention_side(i)} - 1;
    list->Norm(block + "norm1", c.vit.embed_dim);
    list->Tensor(block + "attn.rel_pos_h", {distances, c.vit.head_dim()});
    list->Tensor(block + "attn.rel_pos_w", {distances, c.vit.head_dim()});
    list->Linear(block + "attn.qkv", 3 * uint64_t{c.vit.embed_dim}, c.vit.embed_dim);
    list->Linear(block + "attn.proj", c.vit.embed_dim, c.vit.embed_dim);
    list->Norm(block + "norm2", c.vit.embed_dim);
    list->Linear(block + "mlp.lin1", c.vit.mlp_dim, c.vit.embed_dim);
    list->Linear(block + "mlp.lin2", c.vit.embed_dim, c.vit.mlp_dim);
  }
  list->Tensor(root + "neck.0.weight", {c.prompt_embed_dim, c.vit.embed_dim, 1, 1});
  list->Norm(root + "neck.1", c.prompt_embed_dim);
  list->Tensor(root + "neck.2.weight", {c.prompt_embed_dim, c.prompt_embed_dim, 3, 3});
  list->Norm(root + "neck.3", c.prompt_embed_dim);
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
  AddImageEncoder(config, &list);
  AddPromptEncoder(config, &list);
  AddMaskDecoder(config, &list);
  return list.Take();
}

}  // namespace intsam::internal
