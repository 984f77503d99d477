// The tables of the tiers compiled into this library, best first. Which of them the running CPU can execute is decided
// by runtime/base/cpu, not here.
#include "kernels/tiers.h"

namespace intsam {
namespace {

Kernels ScalarTier() {
  Kernels k{};
  k.name = "scalar";
  k.flip = 0x00;
  FillGemmScalar(k);
  FillEpilogueScalar(k);
  FillLayerNormScalar(k);
  FillAttentionScalar(k);
  FillSoftmaxScalar(k);
  FillMaskProductScalar(k);
  return k;
}

#if defined(INTSAM_HAVE_AVX2)
Kernels Avx2Tier() {
  Kernels k = ScalarKernels();
  k.name = "avx2";
  k.flip = 0x00;
  FillGemmAvx2(k);
  FillEpilogueAvx2(k);
  FillLayerNormAvx2(k);
  FillAttentionAvx2(k);
  FillSoftmaxAvx2(k);
  FillMaskProductAvx2(k);
  return k;
}
#endif

}  // namespace

const Kernels& ScalarKernels() {
  static const Kernels kernels = ScalarTier();
  return kernels;
}

std::span<const Kernels* const> BuiltKernels() {
#if defined(INTSAM_HAVE_AVX2)
  static const Kernels avx2 = Avx2Tier();
#endif
  static const Kernels* const tiers[] = {
#if defined(INTSAM_HAVE_AVX2)
    &avx2,
#endif
    &ScalarKernels(),
  };
  return tiers;
}

}  // namespace intsam
