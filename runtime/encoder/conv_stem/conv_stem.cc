#include "runtime/encoder/conv_stem/conv_stem.h"

#include "runtime/records/proof.h"

namespace intsam::internal {

ConvStem::ConvStem(uint32_t pixels_per_side, uint32_t middle, uint32_t out)
    : image(pixels_per_side), conv1(MakeLinear(kTaps, middle)), conv2(MakeLinear(9 * middle, out)) {
  gelu.n = middle;
  rq.n = out;
}

void Prove(Proof& proof, ConvStem& stem) {
  proof.Lifted("seq.0", proof.CodesLayer("seq.0", stem.conv1, PreparedConvStem::kPixels), stem.gelu.up);
  proof.CodesRange("seq.0.gelu.out", stem.gelu.out);
  proof.Requantized("seq.2.rq", stem.rq, proof.CodesLayer("seq.2", stem.conv2, stem.gelu.out));
}

}  // namespace intsam::internal
