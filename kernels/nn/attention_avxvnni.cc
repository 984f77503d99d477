// AVX-VNNI attention: the exact mix by VPDPWSSD. The rest of the tier is AVX2's.
#include "kernels/isa/avxvnni.h"
#include "kernels/nn/mix_vnni.h"
#include "kernels/tiers.h"

namespace intsam::internal {

void FillAttentionAvxvnni(Kernels& k) { k.attention_mix = vnni::Mix<YmmVnni>; }

}  // namespace intsam::internal
