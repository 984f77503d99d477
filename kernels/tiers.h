// How an instruction-set tier is put together from the Fill functions of its source files. tiers.inc lists them: a new
// tier is a line there.
//
// A tier that changes `flip` must bring its own gemm_a8w8 and depthwise_codes, because they are the kernels whose
// operands carry the flip implicitly; every other kernel takes the flip as an argument.
#ifndef INTSAM_KERNELS_TIERS_H_
#define INTSAM_KERNELS_TIERS_H_

#include "kernels/kernels.h"

namespace intsam::internal {

// Overrides entries of a table.
using Fill = void(Kernels& k);

// Portable C++, the definition of every entry.
Fill FillGemmScalar, FillDepthwiseScalar, FillEpilogueScalar, FillLayerNormScalar, FillAttentionScalar,
    FillSoftmaxScalar, FillMaskProductScalar;

#define INTSAM_TIER(name, base, flip, ...) Fill __VA_ARGS__;
#include "kernels/tiers.inc"

// A table that starts from `base` and goes through `fills`, in their order.
template <class... Fills>
Kernels MakeTier(const Kernels& base, const char* name, uint8_t flip, Fills... fills) {
  Kernels k = base;
  k.name = name;
  k.flip = flip;
  (fills(k), ...);
  return k;
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_TIERS_H_
