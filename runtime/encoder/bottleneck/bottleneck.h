// What MBConv blocks and patch mergings have in common, over a square grid of cells:
// conv3(gelu(conv2(gelu(conv1(x))))), 1x1, depthwise 3x3, 1x1 (docs/numerics.md 18). A kind derives its record from
// Bottleneck and its fused form from FusedBottleneck (fused_bottleneck.h).
#ifndef INTSAM_RUNTIME_ENCODER_BOTTLENECK_BOTTLENECK_H_
#define INTSAM_RUNTIME_ENCODER_BOTTLENECK_BOTTLENECK_H_

#include <cstdint>

#include "runtime/encoder/kind.h"
#include "runtime/ops/prepared_depthwise.h"
#include "runtime/ops/prepared_linear.h"
#include "runtime/ops/tensors.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct Bottleneck {
  uint32_t grid;    // cells per side of its input
  uint32_t stride;  // of conv2, 1 or 2
  QuantizeSite in;
  Linear conv1;
  RqGelu gelu1;
  Depthwise conv2;
  RqGelu gelu2;
  Linear conv3;
  Rq32 rq;  // of what conv3 gives

  Bottleneck(uint32_t grid, uint32_t stride, uint32_t width, uint32_t hidden, uint32_t out);
  uint32_t out_grid() const { return (grid - 1) / stride + 1; }
  uint32_t width() const { return conv1.in; }
  uint32_t hidden() const { return conv1.out; }
  uint32_t out() const { return conv3.out; }
  size_t cells() const { return size_t{grid} * grid; }
  size_t out_cells() const { return size_t{out_grid()} * out_grid(); }

  template <class V>
  void Visit(V& v) {
    v.Group("conv1.in", in);
    v.Group("conv1", conv1);
    v.Group("conv1.gelu", gelu1);
    v.Group("conv2", conv2);
    v.Group("conv2.gelu", gelu2);
    v.Group("conv3", conv3);
    v.Group("conv3.rq", rq);
  }
};

// input: the largest magnitude of a value that `in` codes.
void Prove(Proof& proof, Bottleneck& bottleneck, int64_t input);

struct PreparedBottleneck {
  PreparedLinear conv1, conv3;
  PreparedDepthwise conv2;

  PreparedBottleneck(const Bottleneck& b, uint8_t flip)
      : conv1(OverCodes(b.conv1, b.in.out, flip)),
        conv3(OverCodes(b.conv3, b.gelu2.out, flip)),
        conv2(b.conv2, b.gelu1.out, flip) {}
};

// conv3's accumulators for coded cells.
reference::Tensor<int32_t> RunReference(const Bottleneck& bottleneck, const reference::Tensor<uint8_t>& codes);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_BOTTLENECK_BOTTLENECK_H_
