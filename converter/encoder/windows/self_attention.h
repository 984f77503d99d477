// The converter's side of what attentions over windows have in common (runtime/encoder/windows/self_attention.h).
#ifndef INTSAM_CONVERTER_ENCODER_WINDOWS_SELF_ATTENTION_H_
#define INTSAM_CONVERTER_ENCODER_WINDOWS_SELF_ATTENTION_H_

#include <string>

#include "converter/encoder/kind.h"
#include "converter/quantize/layers.h"
#include "converter/quantize/sites.h"
#include "runtime/encoder/windows/self_attention.h"

namespace intsam::internal {

// `path` is that of the layer, `norm` the module path of its LayerNorm. What is left to add is where the logits get
// their positions from.
AttentionSite AddSites(const SelfAttention& attention, const std::string& path, const std::string& norm, bool may_shift,
                       QuantizedSites& sites);

// Everything but the positions. Returns the scales of queries and keys.
struct LogitScales {
  Scale query, key;
};
LogitScales Quantize(const EncoderQuantization& encoder, const LayerPlace& place, const std::string& norm,
                     SelfAttention& attention);
// What one unit of a logit's accumulator stands for.
double LogitUnit(const LogitScales& scales, uint32_t head_dim);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_WINDOWS_SELF_ATTENTION_H_
