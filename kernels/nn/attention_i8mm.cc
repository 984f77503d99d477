// Attention's probabilities times values by SMMLA, through the codes of mix_codes.h.
#include "kernels/nn/mix_codes_neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using Codes = neon::SignedCodes<I8mmGemmA8W8>;

void I8mmPackValues(const PackValues& p) {
  p.d < mix_codes::kLeastDepth ? NeonPackValues(p) : mix_codes::Pack<Codes>(p);
}

void I8mmAttentionMix(const AttentionMix& m) {
  m.d < mix_codes::kLeastDepth ? NeonAttentionMix(m) : mix_codes::Mix<Codes>(m);
}

}  // namespace

void FillAttentionI8mm(Kernels& k) {
  k.pack_values = I8mmPackValues;
  k.attention_mix = I8mmAttentionMix;
}

}  // namespace intsam::internal
