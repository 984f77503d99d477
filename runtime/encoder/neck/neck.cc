#include "runtime/encoder/neck/neck.h"

#include "runtime/records/proof.h"

namespace intsam::internal {

Neck::Neck(uint32_t tokens_per_side, uint32_t width, uint32_t out)
    : grid(tokens_per_side), conv1(MakeLinear(width, out)), conv2(MakeLinear(9 * out, out)) {
  conv1_rq.n = conv2_rq.n = norm1.channels = norm2.channels = out;
}

void Prove(Proof& proof, Neck& neck) {
  proof.Quantize("in", neck.in, 1 << 23);
  proof.Requantized("0.rq", neck.conv1_rq, proof.CodesLayer("0", neck.conv1, neck.in.out));
  proof.Narrow("1", neck.norm1);
  proof.Requantized("2.rq", neck.conv2_rq, proof.CodesLayer("2", neck.conv2, neck.norm1.out));
}

}  // namespace intsam::internal
