// The mask decoder: a two-way transformer between a few tokens and the image's keys, then upscaling and three heads.
#ifndef INTSAM_CONVERTER_FP32_MASK_DECODER_H_
#define INTSAM_CONVERTER_FP32_MASK_DECODER_H_

#include <string>
#include <vector>

#include "converter/fp32/attention.h"
#include "converter/fp32/context.h"
#include "runtime/format/decoder_attention.h"

namespace intsam::internal::fp32 {

class MaskDecoder {
 public:
  // image_pe: [grid * grid][prompt_embed_dim], must outlive this object.
  MaskDecoder(const Context& context, const std::vector<float>& image_pe);

  // The initial tokens are also their own positional encoding in every later attention.
  void SetTokens(std::vector<float> tokens);
  void SetKeys(std::vector<float> keys);

  void SelfAttention(uint32_t layer, const std::string& name);
  void TokenToImage(const std::string& name, const std::string& norm);
  void TokenMlp(uint32_t layer, const std::string& name);
  void ImageToToken(uint32_t layer, const std::string& name);
  void Hypernetworks(const std::string& name);
  std::vector<float> Masks(const std::string& name);
  std::vector<float> IouHead(const std::string& name);

 private:
  // out_proj(attention(q_proj(q), k_proj(k), v_proj(v))) with its bias; may overwrite its inputs when a hook does.
  std::vector<float> Attend(const std::string& name, std::vector<float> q, std::vector<float> k, std::vector<float> v,
                            DecoderAttention::Kind kind);
  // The sites of projections that move to the tokens' side (runtime/format/decoder_attention.h): only for a hook.
  void ShowTokenRows(const std::string& name, const char* site, const std::string& layer, bool transposed,
                     const std::vector<float>& tokens, std::vector<float>& rows) const;
  void ShowMix(const std::string& name, std::vector<float> q_rows, const std::vector<float>& k,
               const std::vector<float>& v);
  std::vector<float> Project(const std::string& layer, std::vector<float>& x, size_t in, size_t out);
  // stream = norm(stream + change), or norm(change).
  void Update(std::vector<float>& stream, const char* site, const std::vector<float>& change, bool replace,
              const std::string& norm);
  // Fills upscaled_.
  void Upscale(const std::string& name);
  // All layers with ReLU between them.
  std::vector<float> HeadMlp(const std::string& name, std::vector<float> x, size_t depth);
  std::vector<float> Sum(const std::vector<float>& a, const std::vector<float>& b) const;

  const Context& context_;
  const std::vector<float>& image_pe_;
  const size_t channels_;
  std::vector<float> upscale0_taps_, upscale3_taps_;
  PlainAttention attention_;
  std::vector<float> tokens_, token_pe_, keys_, upscaled_, hyper_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_MASK_DECODER_H_
