#include "runtime/encoder/reference.h"

#include "runtime/encoder/mb_conv/mb_conv.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const MbConv& block, ReferenceImage& image) {
  const Tensor<uint8_t> codes = Quantize(block.in, image.narrow, nullptr);
  AddToS16(block.rq, RunReference(static_cast<const Bottleneck&>(block), codes), image.narrow);
  Gelu(block.unit_bits, image.narrow);
}

}  // namespace intsam::internal
