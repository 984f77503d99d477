// How an instruction-set tier is put together: it starts from the table of the next lower tier and each of its source
// files overrides the entries it implements. A new tier is a few Fill functions here and one entry in tiers.cc.
//
// A tier that changes `flip` must bring its own gemm_a8w8 and depthwise_codes, because they are the kernels whose
// operands carry the flip implicitly; every other kernel takes the flip as an argument.
#ifndef INTSAM_KERNELS_TIERS_H_
#define INTSAM_KERNELS_TIERS_H_

#include "kernels/kernels.h"

namespace intsam::internal {

// Portable C++, the definition of every entry.
void FillGemmScalar(Kernels& k);         // gemm_a8w8, gemm_a16w8
void FillDepthwiseScalar(Kernels& k);    // depthwise_*
void FillEpilogueScalar(Kernels& k);     // requantize_*, quantize_codes, gelu_s16, narrow_r24
void FillLayerNormScalar(Kernels& k);    // layer_norm_*
void FillAttentionScalar(Kernels& k);    // pack_*, attention_*, relative_position
void FillSoftmaxScalar(Kernels& k);      // softmax_row
void FillMaskProductScalar(Kernels& k);  // mask_product

#if defined(INTSAM_HAVE_AVX2)
void FillGemmAvx2(Kernels& k);
void FillDepthwiseAvx2(Kernels& k);
void FillEpilogueAvx2(Kernels& k);
void FillLayerNormAvx2(Kernels& k);
void FillAttentionAvx2(Kernels& k);
void FillSoftmaxAvx2(Kernels& k);
void FillMaskProductAvx2(Kernels& k);
#endif

// On top of AVX2.
#if defined(INTSAM_HAVE_AVXVNNI)
void FillGemmAvxvnni(Kernels& k);
void FillAttentionAvxvnni(Kernels& k);  // attention_mix
#endif

// On top of AVX2.
#if defined(INTSAM_HAVE_AVX512VNNI)
void FillGemmAvx512vnni(Kernels& k);
void FillEpilogueAvx512vnni(Kernels& k);
void FillLayerNormAvx512vnni(Kernels& k);  // layer_norm_narrow
void FillAttentionAvx512vnni(Kernels& k);  // all but pack_*
void FillSoftmaxAvx512vnni(Kernels& k);
#endif

// On top of AVX512-VNNI.
#if defined(INTSAM_HAVE_AMX)
void FillGemmAmx(Kernels& k);       // gemm_a8w8
void FillAttentionAmx(Kernels& k);  // pack_values, attention_mix
#endif

// SIMD128 is made of the same sources.
#if defined(INTSAM_HAVE_NEON) || defined(INTSAM_HAVE_SIMD128)
void FillGemmNeon(Kernels& k);
void FillDepthwiseNeon(Kernels& k);
void FillEpilogueNeon(Kernels& k);
void FillLayerNormNeon(Kernels& k);
void FillAttentionNeon(Kernels& k);
void FillSoftmaxNeon(Kernels& k);
void FillMaskProductNeon(Kernels& k);
#endif

// On top of NEON.
#if defined(INTSAM_HAVE_DOTPROD)
void FillGemmDotprod(Kernels& k);       // gemm_a8w8
void FillAttentionDotprod(Kernels& k);  // pack_values, attention_mix
#endif

// On top of NEON.
#if defined(INTSAM_HAVE_I8MM)
void FillGemmI8mm(Kernels& k);       // gemm_a8w8
void FillAttentionI8mm(Kernels& k);  // pack_values, attention_mix
#endif

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_TIERS_H_
