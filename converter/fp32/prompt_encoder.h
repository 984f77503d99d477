// The prompt encoder: random Fourier features of points and box corners, and convolutions over a mask prompt.
#ifndef INTSAM_CONVERTER_FP32_PROMPT_ENCODER_H_
#define INTSAM_CONVERTER_FP32_PROMPT_ENCODER_H_

#include <string>
#include <vector>

#include "converter/fp32/context.h"

namespace intsam::internal::fp32 {

class PromptEncoder {
 public:
  explicit PromptEncoder(const Context& context);

  // [n][prompt_embed_dim]: iou_token, mask_tokens, points, padding point, box corners.
  std::vector<float> Tokens(const FloatPrompt& prompt) const;

  // embedding plus the dense prompt, [grid * grid][prompt_embed_dim].
  std::vector<float> Keys(const std::vector<float>& embedding, const FloatPrompt& prompt,
                          const std::string& name) const;

  // Positional encoding of the grid's cells, [grid * grid][prompt_embed_dim].
  const std::vector<float>& image_pe() const { return image_pe_; }

 private:
  // x, y in 0..1
  void Encode(float x, float y, float* out) const;
  void AppendPoint(float x, float y, int label, std::vector<float>& tokens) const;

  const Context& context_;
  const size_t channels_;
  std::vector<float> mask0_weight_, mask3_weight_;  // channel-last
  std::vector<float> image_pe_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_PROMPT_ENCODER_H_
