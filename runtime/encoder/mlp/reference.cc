#include "runtime/encoder/reference.h"

#include "runtime/encoder/mlp/prepared.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const MlpBlock& mlp, ReferenceImage& image) {
  const PreparedMlp prepared(mlp, Scalar().flip);
  const Tensor<uint8_t> hidden = ToGeluCodes(mlp.gelu, Multiply(prepared.lin1, Norm(mlp.norm, image.x)));
  AddToR24(mlp.lin2_rq, Multiply(prepared.lin2, hidden), image.x);
}

}  // namespace intsam::internal
