// AVX2 epilogues: the 256-bit instances of epilogue_x86.h.
#include "kernels/isa/avx2.h"
#include "kernels/nn/epilogue_x86.h"

namespace intsam::internal {

void FillEpilogueAvx2(Kernels& k) { x86::FillEpilogue<Ymm>(k); }

}  // namespace intsam::internal
