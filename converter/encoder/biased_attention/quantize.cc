#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "converter/encoder/biased_attention/biased_attention.h"
#include "converter/encoder/windows/self_attention.h"

namespace intsam::internal {

void AddSites(const BiasedAttention& attention, const std::string& path, QuantizedSites& sites) {
  // Padding cells pass the norm too, so a shift reaches all that qkv reads.
  AttentionSite site = AddSites(attention, path, path + ".attn.norm", true, sites);
  site.biases = path + ".attn.attention_biases";
  sites.attentions.push_back(std::move(site));
}

void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, BiasedAttention& attention) {
  const LogitScales scales = Quantize(encoder, place, place.path + ".attn.norm", attention);
  const double unit = LogitUnit(scales, attention.windows.head_dim);
  std::vector<int32_t> biases;
  for (const float bias : encoder.q.Weight(place.path + ".attn.attention_biases")) {
    constexpr double kMost = 1 << 30;
    biases.push_back(static_cast<int32_t>(std::clamp(std::floor(bias / unit + 0.5), -kMost, kMost)));
  }
  attention.biases = encoder.q.pool.Add(biases);
}

}  // namespace intsam::internal
