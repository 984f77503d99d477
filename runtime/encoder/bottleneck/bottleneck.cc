#include "runtime/encoder/bottleneck/bottleneck.h"

#include "runtime/records/proof.h"

namespace intsam::internal {

using namespace reference;

Bottleneck::Bottleneck(uint32_t cells_per_side, uint32_t cell_stride, uint32_t width, uint32_t hidden, uint32_t out)
    : grid(cells_per_side), stride(cell_stride), conv1(MakeLinear(width, hidden)), conv3(MakeLinear(hidden, out)) {
  gelu1.n = gelu2.n = conv2.channels = hidden;
  rq.n = out;
}

void Prove(Proof& proof, Bottleneck& b, int64_t input) {
  proof.Quantize("conv1.in", b.in, input);
  proof.Lifted("conv1", proof.CodesLayer("conv1", b.conv1, b.in.out), b.gelu1.up);
  proof.CodesRange("conv1.gelu.out", b.gelu1.out);
  proof.Lifted("conv2", proof.CodesLayer("conv2", b.conv2, b.gelu1.out), b.gelu2.up);
  proof.CodesRange("conv2.gelu.out", b.gelu2.out);
  proof.Requantized("conv3.rq", b.rq, proof.CodesLayer("conv3", b.conv3, b.gelu2.out));
}

Tensor<int32_t> RunReference(const Bottleneck& b, const Tensor<uint8_t>& codes) {
  const PreparedBottleneck prepared(b, Scalar().flip);
  const Tensor<uint8_t> hidden = ToGeluCodes(b.gelu1, Multiply(prepared.conv1, codes));
  const Tensor<uint8_t> padded = Padded(hidden, b.grid, static_cast<uint8_t>(b.gelu1.out.zero));
  const size_t row = size_t{b.grid + 2} * b.hidden();
  Tensor<int32_t> acc(b.out_cells(), b.hidden());
  for (uint32_t y = 0; y < b.out_grid(); ++y) {
    const uint8_t* top = padded[0] + size_t{y} * b.stride * row;
    const uint8_t* const rows[3] = {top, top + row, top + 2 * row};
    ops::Convolve(Scalar(), prepared.conv2, rows, b.stride, static_cast<int>(b.out_grid()),
                  {acc[size_t{y} * b.out_grid()], acc.columns});
  }
  return Multiply(prepared.conv3, ToGeluCodes(b.gelu2, acc));
}

}  // namespace intsam::internal
