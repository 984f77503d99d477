// AVX-VNNI GEMMs: the 256-bit instances of gemm_vnni.h.
#include "kernels/gemm/gemm_vnni.h"
#include "kernels/isa/avxvnni.h"
#include "kernels/tiers.h"

namespace intsam::internal {

void FillGemmAvxvnni(Kernels& k) {
  k.gemm_a8w8 = vnni::Gemm<YmmVnni, GemmA8W8>;
  k.gemm_a16w8 = vnni::Gemm<YmmVnni, GemmA16W8>;
}

}  // namespace intsam::internal
