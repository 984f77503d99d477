// The tables of the tiers compiled into this library, best first. Which of them the running CPU can execute is decided
// by runtime/base/cpu, not here.
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

// One function a tier, declared first, because a tier is listed before its base.
#define INTSAM_TIER(name, base, flip, ...) const Kernels& name();
#include "kernels/tiers.inc"

const Kernels& scalar() {
  static const Kernels kernels =
      MakeTier({}, "scalar", 0x00, FillGemmScalar, FillDepthwiseScalar, FillEpilogueScalar, FillLayerNormScalar,
               FillAttentionScalar, FillSoftmaxScalar, FillMaskProductScalar);
  return kernels;
}

#define INTSAM_TIER(name, base, flip, ...)                                     \
  const Kernels& name() {                                                      \
    static const Kernels kernels = MakeTier(base(), #name, flip, __VA_ARGS__); \
    return kernels;                                                            \
  }
#include "kernels/tiers.inc"

}  // namespace

const Kernels& ScalarKernels() { return scalar(); }

std::span<const Kernels* const> BuiltKernels() {
  static const Kernels* const tiers[] = {
#define INTSAM_TIER(name, base, flip, ...) &name(),
#include "kernels/tiers.inc"
      &scalar(),
  };
  return tiers;
}

}  // namespace intsam::internal
