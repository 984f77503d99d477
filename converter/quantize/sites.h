// What PTQ4SAM quantises, as lists: the linear layers with codes on both sides, and the attentions between them.
// Source: ptq4sam/model/quant_model.py and ptq4sam/solver/test_quant.py (quantize_model).
#ifndef INTSAM_CONVERTER_QUANTIZE_SITES_H_
#define INTSAM_CONVERTER_QUANTIZE_SITES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/sam/config.h"

namespace intsam::internal {

enum class SiteClass { kEncoderAttention, kEncoderMlp, kNeck, kDecoder };
inline constexpr int kSiteClasses = 4;

struct LayerSite {
  std::string name;  // module path; its input site is name + ".in", its weight name + ".weight"
  SiteClass group;
  uint32_t in, out;  // in: of one output's sum, 9 * channels for the neck's 3x3 convolution
  bool has_bias;
};

struct AttentionSite {
  std::string name;  // its sites are name + ".q", ".k", ".v", and its softmax
  SiteClass group;
  uint32_t heads, head_dim;
  uint32_t side;        // encoder: keys per axis, with relative positions; decoder: 0
  bool token_to_image;  // where PTQ4SAM folds bimodal signs
  std::string output;   // the layer that takes its result: proj, or out_proj

  // The layer and its first output row that project queries (0), keys (1) or values (2).
  std::string Projection(int part) const;
  uint32_t FirstRow(int part) const { return side != 0 ? static_cast<uint32_t>(part) * heads * head_dim : 0; }
};

std::vector<LayerSite> QuantizedLayers(const SamConfig& config);
std::vector<AttentionSite> QuantizedAttentions(const SamConfig& config);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_SITES_H_
