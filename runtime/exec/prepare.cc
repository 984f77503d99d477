#include "runtime/exec/prepare.h"

#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/requantize.h"
#include "runtime/image/prompts.h"

namespace intsam::internal {
namespace {

PreparedAttention PrepareAttention(const DecoderAttention& a, uint8_t flip) {
  if (a.in_words()) {
    return {OverStream(a.q, a.q_in, flip), OverStream(a.k, a.k_in, flip), OverStream(a.v, a.v_in, flip),
            OverS16(a.out)};
  }
  const bool ask_image = a.on_tokens() && !a.image_asks();
  return {OverStream(a.q, a.q_in, flip), ask_image ? OverCodes(a.k, a.q_rq.out, flip) : OverStream(a.k, a.k_in, flip),
          ask_image ? OverAttention(a.v, a.softmax, flip) : OverStream(a.v, a.v_in, flip),
          a.on_tokens() ? OverCodes(a.out, a.v_rq.out, flip) : OverAttention(a.out, a.softmax, flip)};
}

std::vector<int16_t> ImagePositionalEncoding(const PromptEncoder& p, uint32_t grid) {
  std::vector<int16_t> pe(size_t{grid} * grid * p.dim);
  for (uint32_t y = 0; y < grid; ++y) {
    for (uint32_t x = 0; x < grid; ++x) {
      int16_t* out = &pe[(size_t{y} * grid + x) * p.dim];
      PositionalEncoding(GridCoordinate(x, grid), GridCoordinate(y, grid), p.gaussian, out);
      for (uint32_t c = 0; c < p.dim; ++c) {
        const int64_t value = Requantize32(out[c], p.image_pe.mult, static_cast<int>(p.image_pe.shift));
        out[c] = static_cast<int16_t>(Clamp(value, -32767, 32767));
      }
    }
  }
  return pe;
}

}  // namespace

PreparedModel::PreparedModel(const IntegerModel& m, const Kernels& k) : model(&m), kernels(&k) {
  const uint8_t flip = k.flip;
  const MaskDecoder& d = m.mask_decoder;
  for (const DecoderLayer& layer : d.layers) {
    layers.push_back({PrepareAttention(layer.self_attn, flip), PrepareAttention(layer.token_to_image, flip),
                      PrepareAttention(layer.image_to_token, flip), OverStream(layer.lin1, layer.mlp_in, flip),
                      OverCodes(layer.lin2, layer.lin1_rq.out, flip)});
  }
  final_attn = PrepareAttention(d.final_attn, flip);
  upscale1 = OverS16(d.upscaling.conv1);
  upscale2 = OverS16(d.upscaling.conv2);
  for (const Mlp& mlp : d.hypernetworks) {
    std::vector<PreparedLinear> prepared;
    for (const MlpLayer& layer : mlp.layers) prepared.push_back(OverS16(layer.linear));
    hypernetworks.push_back(std::move(prepared));
  }
  for (const MlpLayer& layer : d.iou_head.layers) iou_head.push_back(OverS16(layer.linear));
  image_pe = ImagePositionalEncoding(m.prompt_encoder, m.config.grid());
}

}  // namespace intsam::internal
