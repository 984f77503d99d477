// The record of an attention between tokens and image (docs/numerics.md 11).
#ifndef INTSAM_RUNTIME_FORMAT_DECODER_ATTENTION_H_
#define INTSAM_RUNTIME_FORMAT_DECODER_ATTENTION_H_

#include <cstdint>

#include "runtime/records/records.h"

namespace intsam::internal {

// Every image row can be projected, or what is projected on the image's side can be moved to the few tokens: a score
// q . (W x) is (W^T q) . x, a mix sum p (W x) is W (sum p x). A moved projection is a layer [heads][dim] over head_dim,
// one head at a time: k_proj of token-to-image attention, out_proj of image-to-token attention.
struct DecoderAttention {
  enum class Kind { kSelf, kTokenToImage, kImageToToken };
  enum Form : uint32_t {
    kOnImage,   // image rows are projected, before or after; also of self-attention. Any zero points
    kOnTokens,  // image rows are keys and values as they are; or queries, which mix what tokens become behind out_proj
    kInWords,   // of self-attention: queries, values and what is mixed are s16
  };

  uint32_t heads = 0, head_dim = 0, dim = 0;
  Kind kind = Kind::kSelf;
  uint32_t form = kOnImage;
  StreamInput q_in, k_in, v_in;  // codes where image rows are keys and values as they are
  Linear q, k, v, out;
  Rq16 q_rq, k_rq, v_rq;
  Rq32 q_words, v_words;  // in place of q_rq and v_rq: to s16
  Rq16 out_rows_rq;  // of tokens times out_proj: codes with zero point 128
  View<int32_t> out_bias;
  Softmax softmax;
  Rq32 out_rq;  // to unit / 256 of the stream that the result joins

  DecoderAttention() = default;
  DecoderAttention(uint32_t dim, uint32_t inner, uint32_t heads, Kind kind);

  uint32_t inner() const { return heads * head_dim; }
  bool image_asks() const { return kind == Kind::kImageToToken; }  // queries are image rows, keys and values tokens
  bool on_tokens() const { return form == kOnTokens; }
  bool in_words() const { return form == kInWords; }
  bool asks_in_words() const { return in_words() || (on_tokens() && image_asks()); }  // queries are s16

  // Sets the dimensions of the layers; views stay as they are.
  void SetForm(uint32_t new_form);

  template <class V>
  void Visit(V& visitor) {
    visitor.Field("form", form, kOnImage, kind == Kind::kSelf ? kInWords : kOnTokens);
    SetForm(form);
    visitor.Group("q_proj.in", q_in);
    visitor.Group("q_proj", q);
    asks_in_words() ? visitor.Group("q_proj.words", q_words) : visitor.Group("q_proj.rq", q_rq);
    visitor.Group("k_proj.in", k_in);
    visitor.Group("k_proj", k);
    visitor.Group("k_proj.rq", k_rq);
    visitor.Group("v_proj.in", v_in);
    visitor.Group("v_proj", v);
    in_words() ? visitor.Group("v_proj.words", v_words) : visitor.Group("v_proj.rq", v_rq);
    visitor.Group("softmax", softmax);
    visitor.Group("out_proj", out);
    if (image_asks() && on_tokens()) {
      visitor.Group("out_proj.rows.rq", out_rows_rq);
      visitor.Tensor("out_proj.mix.bias", out_bias, {dim});
    }
    visitor.Group("out_proj.rq", out_rq);
  }
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_FORMAT_DECODER_ATTENTION_H_
