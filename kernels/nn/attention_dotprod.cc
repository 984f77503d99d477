// Attention's probabilities times values by SDOT, through the codes of mix_codes.h.
#include "kernels/nn/mix_codes_neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using Codes = neon::SignedCodes<DotprodGemmA8W8>;

void DotprodPackValues(const PackValues& p) {
  p.d < mix_codes::kLeastDepth ? NeonPackValues(p) : mix_codes::Pack<Codes>(p);
}

void DotprodAttentionMix(const AttentionMix& m) {
  m.d < mix_codes::kLeastDepth ? NeonAttentionMix(m) : mix_codes::Mix<Codes>(m);
}

}  // namespace

void FillAttentionDotprod(Kernels& k) {
  k.pack_values = DotprodPackValues;
  k.attention_mix = DotprodAttentionMix;
}

}  // namespace intsam::internal
