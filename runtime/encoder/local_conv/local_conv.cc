#include "runtime/encoder/local_conv/local_conv.h"

#include "runtime/records/proof.h"

namespace intsam::internal {

LocalConv::LocalConv(uint32_t cells_per_side, uint32_t width) : grid(cells_per_side) { conv.channels = rq.n = width; }

void Prove(Proof& proof, LocalConv& layer) {
  proof.Requantized("local_conv.rq", layer.rq, proof.S16Layer("local_conv", layer.conv));
}

}  // namespace intsam::internal
