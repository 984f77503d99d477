// The tiers whose instructions this CPU may lack, from the same sources, with emulated intrinsics.
#ifndef INTSAM_TESTS_KERNELS_EMULATION_EMULATED_TIERS_H_
#define INTSAM_TESTS_KERNELS_EMULATION_EMULATED_TIERS_H_

#include <vector>

#include "kernels/kernels.h"

namespace intsam::internal::test {

// Best first; empty in a build without SIMDe, or without a CPU with AVX2, which the emulation and the rest of the
// tables need.
std::vector<const Kernels*> EmulatedTiers();

}  // namespace intsam::internal::test

#endif  // INTSAM_TESTS_KERNELS_EMULATION_EMULATED_TIERS_H_
