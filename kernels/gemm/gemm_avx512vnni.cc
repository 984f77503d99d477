// AVX512-VNNI GEMMs: the 512-bit instances of gemm_vnni.h.
#include "kernels/gemm/gemm_vnni.h"
#include "kernels/isa/avx512.h"
#include "kernels/tiers.h"

namespace intsam::internal {

void Avx512vnniGemmA8W8(const GemmA8W8& g) { vnni::Gemm<Zmm>(g); }

void Avx512vnniGemmA16W8(const GemmA16W8& g) { vnni::Gemm<Zmm>(g); }

void FillGemmAvx512vnni(Kernels& k) {
  k.gemm_a8w8 = Avx512vnniGemmA8W8;
  k.gemm_a16w8 = Avx512vnniGemmA16W8;
}

}  // namespace intsam::internal
