#include "runtime/format/model.h"

namespace intsam::internal {
namespace {

Linear12 MakeLinear12(uint32_t in, uint32_t out) {
  Linear12 linear;
  linear.in = in, linear.out = out;
  return linear;
}

Mlp MakeMlp(uint32_t in, uint32_t hidden, uint32_t out, uint32_t depth) {
  Mlp mlp;
  mlp.layers.resize(depth);
  for (uint32_t i = 0; i < depth; ++i) {
    const uint32_t width = i + 1 == depth ? out : hidden;
    mlp.layers[i].linear = MakeLinear(i == 0 ? in : hidden, width);
    mlp.layers[i].rq.n = width;
  }
  return mlp;
}

DecoderLayer MakeLayer(const SamConfig& c) {
  const uint32_t dim = c.prompt_embed_dim;
  DecoderLayer l;
  const uint32_t heads = c.decoder_num_heads;
  using Kind = DecoderAttention::Kind;
  l.self_attn = DecoderAttention(dim, dim, heads, Kind::kSelf);
  l.token_to_image = DecoderAttention(dim, c.cross_dim(), heads, Kind::kTokenToImage);
  l.image_to_token = DecoderAttention(dim, c.cross_dim(), heads, Kind::kImageToToken);
  l.norm1.channels = l.norm2.channels = l.norm3.channels = l.norm4.channels = dim;
  l.lin1 = MakeLinear(dim, c.decoder_mlp_dim);
  l.lin1_rq.n = c.decoder_mlp_dim;
  l.lin2 = MakeLinear(c.decoder_mlp_dim, dim);
  l.lin2_rq.n = dim;
  return l;
}

}  // namespace

IntegerModel::IntegerModel(const SamConfig& c) : config(c) {
  const uint32_t dim = c.prompt_embed_dim;

  image_encoder.layers = EncoderLayers(c);

  prompt_encoder.dim = dim;
  MaskDownscaling& mask = prompt_encoder.mask;
  mask.conv1 = MakeLinear12(4, c.mask_in_chans / 4);
  mask.conv2 = MakeLinear12(c.mask_in_chans, c.mask_in_chans);
  mask.conv3 = MakeLinear12(c.mask_in_chans, dim);
  mask.conv1_rq.n = mask.norm1.channels = c.mask_in_chans / 4;
  mask.conv2_rq.n = mask.norm2.channels = c.mask_in_chans;
  mask.conv3_rq.n = dim;

  MaskDecoder& d = mask_decoder;
  d.dim = dim;
  d.num_masks = c.num_masks();
  for (uint32_t i = 0; i < c.decoder_depth; ++i) d.layers.push_back(MakeLayer(c));
  d.mask_product.n = c.num_masks();
  d.final_attn = DecoderAttention(dim, c.cross_dim(), c.decoder_num_heads, DecoderAttention::Kind::kTokenToImage);
  d.norm_final.channels = dim;
  d.upscaling.conv1 = MakeLinear(dim, 4 * c.upscale1_dim());
  d.upscaling.conv1_rq.n = 4 * c.upscale1_dim();
  d.upscaling.norm.channels = c.upscale1_dim();
  d.upscaling.conv2 = MakeLinear(c.upscale1_dim(), 4 * c.upscale2_dim());
  d.upscaling.conv2_rq.n = 4 * c.upscale2_dim();
  for (uint32_t i = 0; i < c.num_masks(); ++i) d.hypernetworks.push_back(MakeMlp(dim, dim, c.upscale2_dim(), 3));
  d.iou_head = MakeMlp(dim, c.iou_head_hidden_dim, c.num_masks(), c.iou_head_depth);
}

}  // namespace intsam::internal
