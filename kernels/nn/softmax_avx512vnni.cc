// AVX-512 softmax: the 512-bit instance of softmax_x86.h.
#include "kernels/isa/avx512.h"
#include "kernels/nn/softmax_x86.h"

namespace intsam::internal {

void FillSoftmaxAvx512vnni(Kernels& k) {
  k.softmax_row = x86::Softmax<Zmm>;
  k.softmax_heads = x86::SoftmaxOfHeads<Zmm>;
}

}  // namespace intsam::internal
