#include "runtime/exec/prompt_tokens.h"

#include <algorithm>

#include "kernels/numerics/requantize.h"
#include "runtime/image/prompts.h"

namespace intsam::internal {
namespace {

void PointToken(const IntegerModel& model, const Frame& frame, int32_t x, int32_t y, uint32_t label, int16_t* token) {
  const PromptEncoder& p = model.prompt_encoder;
  const uint32_t image_size = model.config.image_size;
  const int32_t cx = PointCoordinate(x, frame.original.width, frame.resized.width, image_size);
  const int32_t cy = PointCoordinate(y, frame.original.height, frame.resized.height, image_size);
  PositionalEncoding(cx, cy, p.gaussian, token);
  const int16_t* embedding = p.point_embeddings.data() + size_t{label} * p.dim;
  for (uint32_t c = 0; c < p.dim; ++c) {
    const int64_t pe = Requantize32(token[c], p.token_pe.mult, static_cast<int>(p.token_pe.shift));
    token[c] = static_cast<int16_t>(Clamp(pe + embedding[c], -32767, 32767));
  }
}

}  // namespace

void PromptTokens(const IntegerModel& model, const Frame& frame, const Prompt& prompt, int16_t* tokens) {
  const MaskDecoder& d = model.mask_decoder;
  const uint32_t dim = d.dim;
  tokens = std::copy_n(d.iou_token.data(), dim, tokens);
  tokens = std::copy_n(d.mask_tokens.data(), size_t{d.num_masks} * dim, tokens);
  for (const PointPrompt& point : prompt.points) {
    PointToken(model, frame, point.x, point.y, static_cast<uint32_t>(point.label), tokens);
    tokens += dim;
  }
  if (HasPaddingPoint(prompt)) std::copy_n(model.prompt_encoder.not_a_point.data(), dim, tokens);
  if (prompt.box != nullptr) {
    PointToken(model, frame, prompt.box->x0, prompt.box->y0, 2, tokens);
    PointToken(model, frame, prompt.box->x1, prompt.box->y1, 3, tokens + dim);
  }
}

}  // namespace intsam::internal
