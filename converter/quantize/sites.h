// What PTQ4SAM quantizes, as lists: the linear layers with codes on both sides, and the attentions between them.
// Source: ptq4sam/model/quant_model.py and ptq4sam/solver/test_quant.py (quantize_model).
#ifndef INTSAM_CONVERTER_QUANTIZE_SITES_H_
#define INTSAM_CONVERTER_QUANTIZE_SITES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/sam/config.h"

namespace intsam::internal {

enum class SiteClass { kEncoderAttention, kEncoderMlp, kEncoderConv, kNeck, kDecoder };
inline constexpr int kSiteClasses = 5;

struct LayerSite {
  std::string name;  // module path; its input site is name + ".in", its weight name + ".weight"
  SiteClass group;
  uint32_t in, out;  // in: of one output's sum, taps * channels
  bool has_bias;

  // Of a convolution, whose official weights are in order (channel, ky, kx): entries per channel of the input, and
  // pixels per side of the input's map.
  uint32_t taps = 1, grid = 0;
  bool depthwise = false;     // every channel by itself: `in` is the taps alone
  bool bytes = false;         // weights and inputs have 8 bits in every profile
  bool reads_stream = false;  // of s16 values, so that it can do without codes of them
  // The LayerNorm that nobody but this layer reads, so that channel scales can move from one to the other; "" where
  // there is none. A shift can move too where may_shift: the layer has a bias, and all that it reads comes from the
  // norm (a padding token is zero after it: with a shift it would not be).
  std::string input_norm;
  bool may_shift = false;
  // The layer that reads this one's output through a ReLU and nothing else, or "".
  std::string relu_reader;
  bool after_relu = false;  // reads such an output
};

struct AttentionSite {
  std::string name;  // its sites are name + ".q", ".k", ".v", and its softmax
  SiteClass group;
  uint32_t heads, head_dim;
  std::string output;  // the layer that takes its result: proj, or out_proj

  // The layer that projects queries (0), keys (1) or values (2), and its first output row that does.
  struct Projection {
    std::string layer;
    uint32_t first_row = 0;
  };
  Projection projections[3];

  bool token_to_image = false;  // where PTQ4SAM folds bimodal signs
  uint32_t form = 0;            // DecoderAttention::Form that it can take
  // Of attentions over windows: tokens and keys per side. 0: keys are a row without positions.
  uint32_t grid = 0, side = 0;
  // Of these, the tensor of biases per head and distance; "" where positions are name + ".rel_pos_h" and ".rel_pos_w",
  // which all heads share.
  std::string biases;
  bool has_relative_positions() const { return side != 0 && biases.empty(); }
};

struct QuantizedSites {
  std::vector<LayerSite> layers;
  std::vector<AttentionSite> attentions;
  std::vector<std::string> signed_bytes;  // other activations that are codes around zero, of 8 bits in every profile
};

// The layer whose weights move to the tokens' side where an attention takes the form kOnTokens
// (runtime/format/decoder_attention.h).
inline const std::string& MovedLayer(const AttentionSite& site) {
  return site.token_to_image ? site.projections[1].layer : site.output;
}

std::vector<LayerSite> QuantizedLayers(const SamConfig& config);
std::vector<AttentionSite> QuantizedAttentions(const SamConfig& config);
QuantizedSites SitesOf(const SamConfig& config);  // all of it

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_SITES_H_
