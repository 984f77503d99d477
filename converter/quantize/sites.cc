#include "converter/quantize/sites.h"

namespace intsam::internal {
namespace {

const std::string kTransformer = "mask_decoder.transformer.";
const char* const kProjections[] = {".q_proj", ".k_proj", ".v_proj"};

std::string BlockName(uint32_t i) { return "image_encoder.blocks." + std::to_string(i) + "."; }

void AddProjections(std::vector<LayerSite>& layers, const AttentionSite& a, uint32_t dim) {
  const uint32_t inner = a.heads * a.head_dim;
  for (const char* projection : kProjections) layers.push_back({a.name + projection, a.group, dim, inner, true});
  layers.push_back({a.output, a.group, inner, dim, true});
}

}  // namespace

std::string AttentionSite::Projection(int part) const { return name + (side != 0 ? ".qkv" : kProjections[part]); }

std::vector<AttentionSite> QuantizedAttentions(const SamConfig& c) {
  std::vector<AttentionSite> sites;
  for (uint32_t i = 0; i < c.vit.depth; ++i) {
    const std::string name = BlockName(i) + "attn";
    sites.push_back(
        {name, SiteClass::kEncoderAttention, c.vit.num_heads, c.vit.head_dim(), c.attention_side(i), false, name + ".proj"});
  }
  const auto add = [&](const std::string& name, uint32_t inner, bool token_to_image) {
    const uint32_t heads = c.decoder_num_heads;
    sites.push_back({name, SiteClass::kDecoder, heads, inner / heads, 0, token_to_image, name + ".out_proj"});
  };
  for (uint32_t i = 0; i < c.decoder_depth; ++i) {
    const std::string layer = kTransformer + "layers." + std::to_string(i) + ".";
    add(layer + "self_attn", c.prompt_embed_dim, false);
    add(layer + "cross_attn_token_to_image", c.cross_dim(), true);
    add(layer + "cross_attn_image_to_token", c.cross_dim(), false);
  }
  add(kTransformer + "final_attn_token_to_image", c.cross_dim(), true);
  return sites;
}

std::vector<LayerSite> QuantizedLayers(const SamConfig& c) {
  std::vector<LayerSite> layers;
  for (uint32_t i = 0; i < c.vit.depth; ++i) {
    const std::string b = BlockName(i);
    layers.push_back({b + "attn.qkv", SiteClass::kEncoderAttention, c.vit.embed_dim, 3 * c.vit.embed_dim, true});
    layers.push_back({b + "attn.proj", SiteClass::kEncoderAttention, c.vit.embed_dim, c.vit.embed_dim, true});
    layers.push_back({b + "mlp.lin1", SiteClass::kEncoderMlp, c.vit.embed_dim, c.vit.mlp_dim, true});
    layers.push_back({b + "mlp.lin2", SiteClass::kEncoderMlp, c.vit.mlp_dim, c.vit.embed_dim, true});
  }
  const uint32_t dim = c.prompt_embed_dim;
  layers.push_back({"image_encoder.neck.0", SiteClass::kNeck, c.vit.embed_dim, dim, false});
  layers.push_back({"image_encoder.neck.2", SiteClass::kNeck, 9 * dim, dim, false});
  for (const AttentionSite& a : QuantizedAttentions(c)) {
    if (a.group == SiteClass::kDecoder) AddProjections(layers, a, dim);
  }
  for (uint32_t i = 0; i < c.decoder_depth; ++i) {
    const std::string mlp = kTransformer + "layers." + std::to_string(i) + ".mlp.";
    layers.push_back({mlp + "lin1", SiteClass::kDecoder, dim, c.decoder_mlp_dim, true});
    layers.push_back({mlp + "lin2", SiteClass::kDecoder, c.decoder_mlp_dim, dim, true});
  }
  return layers;
}

}  // namespace intsam::internal
