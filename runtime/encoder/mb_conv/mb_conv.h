// x = gelu(x + bottleneck(x)): a block of TinyViT's first stage, whose stream is s16 in units of 2^-unit_bits
// (docs/numerics.md 18).
#ifndef INTSAM_RUNTIME_ENCODER_MB_CONV_MB_CONV_H_
#define INTSAM_RUNTIME_ENCODER_MB_CONV_MB_CONV_H_

#include <cstdint>
#include <memory>

#include "runtime/encoder/bottleneck/bottleneck.h"
#include "runtime/encoder/kind.h"

namespace intsam::internal {

struct MbConv : Bottleneck {
  uint32_t unit_bits = 12;

  MbConv(uint32_t cells_per_side, uint32_t channels, uint32_t inner)
      : Bottleneck(cells_per_side, 1, channels, inner, channels) {}

  template <class V>
  void Visit(V& v) {
    Bottleneck::Visit(v);
    v.Field("unit_bits", unit_bits, 9, 12);
  }
};

void Prove(Proof& proof, MbConv& block);
void RunReference(const MbConv& block, ReferenceImage& image);
FusedMemory MemoryOf(const MbConv& block);
std::unique_ptr<FusedLayer> MakeFused(const MbConv& block, const Kernels& kernels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_MB_CONV_MB_CONV_H_
