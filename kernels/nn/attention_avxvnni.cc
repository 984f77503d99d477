// AVX-VNNI attention: the exact mix and relative positions by VPDPWSSD. The rest of the tier is AVX2's.
#include "kernels/isa/avxvnni.h"
#include "kernels/nn/mix_vnni.h"
#include "kernels/nn/relative_position_x86.h"
#include "kernels/tiers.h"

namespace intsam::internal {

void FillAttentionAvxvnni(Kernels& k) {
  k.attention_mix = vnni::Mix<YmmVnni>;
  k.relative_position = x86::RelativePositions<YmmVnni>;
}

}  // namespace intsam::internal
