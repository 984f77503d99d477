#include "converter/quantize/sites.h"

#include <utility>
#include <variant>

#include "converter/encoder/layers.h"
#include "runtime/format/decoder_attention.h"

namespace intsam::internal {
namespace {

void AddEncoder(const SamConfig& c, QuantizedSites& sites) {
  for (const EncoderLayer& layer : EncoderLayers(c)) {
    std::visit([&](const auto& record) { AddSites(record, layer.path(), sites); }, layer.kind);
  }
}

void AddDecoder(const SamConfig& c, QuantizedSites& sites) {
  const std::string transformer = "mask_decoder.transformer.";
  const uint32_t dim = c.prompt_embed_dim;
  using Kind = DecoderAttention::Kind;
  const auto attention = [&](const std::string& name, uint32_t inner, Kind kind, uint32_t form) {
    const std::string out = name + ".out_proj";
    AttentionSite site{name,
                       SiteClass::kDecoder,
                       c.decoder_num_heads,
                       inner / c.decoder_num_heads,
                       out,
                       {{name + ".q_proj"}, {name + ".k_proj"}, {name + ".v_proj"}}};
    site.token_to_image = kind == Kind::kTokenToImage;
    site.form = form;
    for (const auto& projection : site.projections) {
      sites.layers.push_back({projection.layer, SiteClass::kDecoder, dim, inner, true});
      sites.layers.back().reads_stream = true;
    }
    sites.layers.push_back({out, SiteClass::kDecoder, inner, dim, true});
    if (kind == Kind::kTokenToImage) {
      for (const char* rows : {".q_rows", ".mix"}) sites.signed_bytes.push_back(name + rows);
    }
    sites.attentions.push_back(std::move(site));
  };
  for (uint32_t i = 0; i < c.decoder_depth; ++i) {
    const std::string layer = transformer + "layers." + std::to_string(i) + ".";
    // Keys and values of layer 0 are those of every prompt without a mask, and are kept.
    attention(layer + "self_attn", dim, Kind::kSelf, DecoderAttention::kInWords);
    attention(layer + "cross_attn_token_to_image", c.cross_dim(), Kind::kTokenToImage,
              i == 0 ? DecoderAttention::kOnImage : DecoderAttention::kOnTokens);
    attention(layer + "cross_attn_image_to_token", c.cross_dim(), Kind::kImageToToken, DecoderAttention::kOnTokens);
  }
  attention(transformer + "final_attn_token_to_image", c.cross_dim(), Kind::kTokenToImage, DecoderAttention::kOnTokens);
  for (uint32_t i = 0; i < c.decoder_depth; ++i) {
    const std::string mlp = transformer + "layers." + std::to_string(i) + ".mlp.";
    LayerSite lin1{mlp + "lin1", SiteClass::kDecoder, dim, c.decoder_mlp_dim, true};
    LayerSite lin2{mlp + "lin2", SiteClass::kDecoder, c.decoder_mlp_dim, dim, true};
    lin1.reads_stream = true, lin1.relu_reader = lin2.name, lin2.after_relu = true;
    sites.layers.push_back(std::move(lin1));
    sites.layers.push_back(std::move(lin2));
  }
}

}  // namespace

QuantizedSites SitesOf(const SamConfig& config) {
  QuantizedSites sites;
  AddEncoder(config, sites);
  AddDecoder(config, sites);
  return sites;
}

std::vector<LayerSite> QuantizedLayers(const SamConfig& config) { return SitesOf(config).layers; }
std::vector<AttentionSite> QuantizedAttentions(const SamConfig& config) { return SitesOf(config).attentions; }

}  // namespace intsam::internal
