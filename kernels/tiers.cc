// The tables of the tiers compiled into this library, best first. Which of them the running CPU can execute is decided
// by runtime/base/cpu, not here.
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

Kernels ScalarTier() {
  Kernels k{};
  k.name = "scalar";
  k.flip = 0x00;
  FillGemmScalar(k);
  FillDepthwiseScalar(k);
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
  FillGemmAvx2(k);
  FillDepthwiseAvx2(k);
  FillEpilogueAvx2(k);
  FillLayerNormAvx2(k);
  FillAttentionAvx2(k);
  FillSoftmaxAvx2(k);
  FillMaskProductAvx2(k);
  return k;
}
#endif

#if defined(INTSAM_HAVE_AVXVNNI)
Kernels AvxvnniTier() {
  Kernels k = Avx2Tier();
  k.name = "avxvnni";
  FillGemmAvxvnni(k);
  FillAttentionAvxvnni(k);
  return k;
}
#endif

#if defined(INTSAM_HAVE_AVX512VNNI)
Kernels Avx512vnniTier() {
  Kernels k = Avx2Tier();
  k.name = "avx512vnni";
  FillGemmAvx512vnni(k);
  FillEpilogueAvx512vnni(k);
  FillLayerNormAvx512vnni(k);
  FillAttentionAvx512vnni(k);
  FillSoftmaxAvx512vnni(k);
  return k;
}
#endif

#if defined(INTSAM_HAVE_AMX)
Kernels AmxTier() {
  Kernels k = Avx512vnniTier();
  k.name = "amx";
  FillGemmAmx(k);
  FillAttentionAmx(k);
  return k;
}
#endif

#if defined(INTSAM_HAVE_NEON) || defined(INTSAM_HAVE_SIMD128)
Kernels NeonTier() {
  Kernels k = ScalarKernels();
#if defined(INTSAM_HAVE_NEON)
  k.name = "neon";
#else
  k.name = "simd128";
#endif
  k.flip = 0x80;  // the products take two signed operands
  FillGemmNeon(k);
  FillDepthwiseNeon(k);
  FillEpilogueNeon(k);
  FillLayerNormNeon(k);
  FillAttentionNeon(k);
  FillSoftmaxNeon(k);
  FillMaskProductNeon(k);
  return k;
}
#endif

#if defined(INTSAM_HAVE_DOTPROD)
Kernels DotprodTier() {
  Kernels k = NeonTier();
  k.name = "dotprod";
  FillGemmDotprod(k);
  FillAttentionDotprod(k);
  return k;
}
#endif

#if defined(INTSAM_HAVE_I8MM)
Kernels I8mmTier() {
  Kernels k = NeonTier();
  k.name = "i8mm";
  FillGemmI8mm(k);
  FillAttentionI8mm(k);
  return k;
}
#endif

}  // namespace

const Kernels& ScalarKernels() {
  static const Kernels kernels = ScalarTier();
  return kernels;
}

std::span<const Kernels* const> BuiltKernels() {
#if defined(INTSAM_HAVE_AMX)
  static const Kernels amx = AmxTier();
#endif
#if defined(INTSAM_HAVE_AVX512VNNI)
  static const Kernels avx512vnni = Avx512vnniTier();
#endif
#if defined(INTSAM_HAVE_AVXVNNI)
  static const Kernels avxvnni = AvxvnniTier();
#endif
#if defined(INTSAM_HAVE_AVX2)
  static const Kernels avx2 = Avx2Tier();
#endif
#if defined(INTSAM_HAVE_I8MM)
  static const Kernels i8mm = I8mmTier();
#endif
#if defined(INTSAM_HAVE_DOTPROD)
  static const Kernels dotprod = DotprodTier();
#endif
#if defined(INTSAM_HAVE_NEON) || defined(INTSAM_HAVE_SIMD128)
  static const Kernels neon = NeonTier();
#endif
  static const Kernels* const tiers[] = {
#if defined(INTSAM_HAVE_AMX)
    &amx,
#endif
#if defined(INTSAM_HAVE_AVX512VNNI)
    &avx512vnni,
#endif
#if defined(INTSAM_HAVE_AVXVNNI)
    &avxvnni,
#endif
#if defined(INTSAM_HAVE_AVX2)
    &avx2,
#endif
#if defined(INTSAM_HAVE_I8MM)
    &i8mm,
#endif
#if defined(INTSAM_HAVE_DOTPROD)
    &dotprod,
#endif
#if defined(INTSAM_HAVE_NEON) || defined(INTSAM_HAVE_SIMD128)
    &neon,
#endif
    &ScalarKernels(),
  };
  return tiers;
}

}  // namespace intsam::internal
