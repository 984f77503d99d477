#include "runtime/format/decoder_attention.h"

namespace intsam::internal {
namespace {

void Resize(Linear& linear, uint32_t in, uint32_t out) { linear.in = in, linear.out = out; }

}  // namespace

DecoderAttention::DecoderAttention(uint32_t width, uint32_t inner_width, uint32_t head_count, Kind its_kind)
    : heads(head_count), head_dim(inner_width / head_count), dim(width), kind(its_kind) {
  out_rq.n = dim;
  out_rows_rq.n = heads * dim;
  SetForm(kOnImage);
}

void DecoderAttention::SetForm(uint32_t new_form) {
  form = new_form;
  const uint32_t moved = heads * dim;
  for (Linear* linear : {&q, &k, &v}) Resize(*linear, dim, inner());
  q_rq.n = k_rq.n = v_rq.n = q_words.n = v_words.n = inner();
  Resize(out, inner(), dim);
  if (!on_tokens()) return;
  Resize(image_asks() ? out : k, head_dim, moved);
  if (!image_asks()) k_rq.n = moved;
}

}  // namespace intsam::internal
