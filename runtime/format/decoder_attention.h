// The record of an attention between tokens and image (docs/numerics.md 11).
#ifndef INTSAM_RUNTIME_FORMAT_DECODER_ATTENTION_H_
#define INTSAM_RUNTIME_FORMAT_DECODER_ATTENTION_H_

#include <cstdint>

#include "runtime/records/records.h"

namespace intsam::internal {

// Every image row can be projected, or what is projected on the image's side can be moved to the few tokens: a score
// q . (W x) is (W^T q) . x, a mix sum p (W x) is W (sum p x). A moved projection is a layer [heads][dim] over head_dim,
// one head at a time.
struct DecoderAttention {
  enum class Kind { kSelf, kTokenToImage, kImageToToken };
  enum Form : uint32_t {
    kOnImage,      // image rows are projected; also of self-attention
    kMixOnTokens,  // of image-to-token attention: v_proj and out_proj are made one for each token
    kOnTokens,     // no image row is projected
  };

  uint32_t heads = 0, head_dim = 0, dim = 0;
  Kind kind = Kind::kSelf;
  uint32_t form = kOnImage;
  QuantizeSite q_in, k_in, v_in;
  Linear q, k, v, out;
  Rq16 q_rq, k_rq, v_rq;
  Linear q_bias;     // q_proj's bias times keys: [heads]
  Rq32 q_bias_rq;    // to the unit of the scores
  Rq16 out_rows_rq;  // of tokens times out_proj: codes with zero point 128
  View<int32_t> out_bias;
  Softmax softmax;
  Rq32 out_rq;  // to unit / 256 of the stream that the result joins

  DecoderAttention() = default;
  DecoderAttention(uint32_t dim, uint32_t inner, uint32_t heads, Kind kind);

  uint32_t inner() const { return heads * head_dim; }
  bool image_asks() const { return kind == Kind::kImageToToken; }  // queries are image rows, keys and values tokens
  // Whether scores, and mixes, are of image rows as they are.
  bool scores_on_tokens() const { return form == kOnTokens; }
  bool mix_on_tokens() const { return form != kOnImage; }

  // Sets the dimensions of the layers; views stay as they are.
  void SetForm(uint32_t new_form);

  template <class V>
  void Visit(V& visitor) {
    visitor.Field("form", form, kOnImage, kind == Kind::kSelf ? kOnImage : kOnTokens);
    SetForm(form);
    visitor.Group("q_proj.in", q_in);
    visitor.Group("q_proj", q);
    visitor.Group("q_proj.rq", q_rq);
    if (image_asks() && scores_on_tokens()) {
      visitor.Group("q_proj.of_bias", q_bias);
      visitor.Group("q_proj.of_bias.rq", q_bias_rq);
    }
    visitor.Group("k_proj.in", k_in);
    visitor.Group("k_proj", k);
    visitor.Group("k_proj.rq", k_rq);
    visitor.Group("v_proj.in", v_in);
    visitor.Group("v_proj", v);
    visitor.Group("v_proj.rq", v_rq);
    visitor.Group("softmax", softmax);
    visitor.Group("out_proj", out);
    if (image_asks() && mix_on_tokens()) {
      visitor.Group("out_proj.rows.rq", out_rows_rq);
      visitor.Tensor("out_proj.mix.bias", out_bias, {dim});
    }
    visitor.Group("out_proj.rq", out_rq);
  }
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_FORMAT_DECODER_ATTENTION_H_
