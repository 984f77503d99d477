// x = conv(x): a depthwise 3x3 convolution that replaces the stream, between attention and MLP of a TinyViT block. It
// takes the stream as s16, with weights of 12 bits, so that hardly anything is lost (docs/numerics.md 18).
#ifndef INTSAM_RUNTIME_ENCODER_LOCAL_CONV_LOCAL_CONV_H_
#define INTSAM_RUNTIME_ENCODER_LOCAL_CONV_LOCAL_CONV_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/encoder/kind.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct LocalConv {
  uint32_t grid;  // cells per side
  Depthwise12 conv;
  Rq32 rq;

  LocalConv(uint32_t grid, uint32_t width);
  uint32_t width() const { return conv.channels; }
  size_t cells() const { return size_t{grid} * grid; }

  template <class V>
  void Visit(V& v) {
    v.Group("local_conv", conv);
    v.Group("local_conv.rq", rq);
  }
};

void Prove(Proof& proof, LocalConv& layer);
void RunReference(const LocalConv& layer, ReferenceImage& image);
FusedMemory MemoryOf(const LocalConv& layer);
std::unique_ptr<FusedLayer> MakeFused(const LocalConv& layer, const Kernels& kernels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_LOCAL_CONV_LOCAL_CONV_H_
