// embedding = norm2(conv2(norm1(conv1(x)))): 1x1, then 3x3, over a square grid of tokens (docs/numerics.md 14).
#ifndef INTSAM_RUNTIME_ENCODER_NECK_NECK_H_
#define INTSAM_RUNTIME_ENCODER_NECK_NECK_H_

#include <cstdint>
#include <memory>

#include "runtime/encoder/kind.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct Neck {
  uint32_t grid;  // tokens per side
  QuantizeSite in;
  Linear conv1;
  Rq32 conv1_rq;
  NormNarrow norm1;
  Linear conv2;  // K in order (ky, kx, channel)
  Rq32 conv2_rq;
  NormWide norm2;

  Neck(uint32_t grid, uint32_t width, uint32_t out);
  uint32_t width() const { return conv1.in; }
  uint32_t out() const { return conv1.out; }

  template <class V>
  void Visit(V& v) {
    v.Group("in", in);
    v.Group("0", conv1);
    v.Group("0.rq", conv1_rq);
    v.Group("1", norm1);
    v.Group("2", conv2);
    v.Group("2.rq", conv2_rq);
    v.Group("3", norm2);
  }
};

void Prove(Proof& proof, Neck& neck);
void RunReference(const Neck& neck, ReferenceImage& image);
FusedMemory MemoryOf(const Neck& neck);
std::unique_ptr<FusedLayer> MakeFused(const Neck& neck, const Kernels& kernels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_NECK_NECK_H_
