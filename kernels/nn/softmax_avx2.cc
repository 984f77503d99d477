// AVX2 softmax: the 256-bit instance of softmax_x86.h.
#include "kernels/isa/avx2.h"
#include "kernels/nn/softmax_x86.h"

namespace intsam::internal {

void FillSoftmaxAvx2(Kernels& k) {
  k.softmax_row = x86::Softmax<Ymm>;
  k.softmax_heads = x86::SoftmaxOfHeads<Ymm>;
}

}  // namespace intsam::internal
