// AVX-512 attention around the two products (docs/numerics.md, sections 6 and 7).
#include "kernels/nn/avx512_common.h"
#include "kernels/nn/mix_vnni.h"
#include "kernels/tiers.h"

namespace intsam {

void FillAttentionAvx512vnni(Kernels& k) { k.attention_mix = vnni::Mix<Zmm>; }

}  // namespace intsam
