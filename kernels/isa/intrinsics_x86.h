// The intrinsics of the tiers beyond AVX2: the compiler's, or what a test names in their place, so that the same
// sources also run where the CPU lacks the instructions (tests/kernels/emulation).
#ifndef INTSAM_KERNELS_ISA_INTRINSICS_X86_H_
#define INTSAM_KERNELS_ISA_INTRINSICS_X86_H_

#if defined(INTSAM_EMULATED_INTRINSICS)
#include INTSAM_EMULATED_INTRINSICS
#else
#include <immintrin.h>
#endif

#endif  // INTSAM_KERNELS_ISA_INTRINSICS_X86_H_
