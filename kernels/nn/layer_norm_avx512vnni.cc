// AVX-512 LayerNorm: the 512-bit instance of layer_norm_x86.h.
#include "kernels/isa/avx512.h"
#include "kernels/nn/layer_norm_x86.h"

namespace intsam::internal {

void FillLayerNormAvx512vnni(Kernels& k) {
  k.layer_norm_narrow = x86::LayerNormToCodes<Zmm>;
  k.layer_norm_wide = x86::LayerNormToS16<Zmm>;
}

}  // namespace intsam::internal
