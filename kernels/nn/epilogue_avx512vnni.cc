// AVX-512 epilogues: the 512-bit instances of epilogue_x86.h.
#include "kernels/isa/avx512.h"
#include "kernels/nn/epilogue_x86.h"

namespace intsam::internal {

void FillEpilogueAvx512vnni(Kernels& k) { x86::FillEpilogue<Zmm>(k); }

}  // namespace intsam::internal
