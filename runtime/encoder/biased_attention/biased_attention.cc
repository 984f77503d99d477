#include "runtime/encoder/biased_attention/biased_attention.h"

#include <algorithm>

#include "runtime/ops/tensors.h"
#include "runtime/records/proof.h"

namespace intsam::internal {

void Prove(Proof& proof, BiasedAttention& a) {
  ProveProjections(proof, "attn.norm", a);
  int64_t bias = 0;
  for (const int32_t b : a.biases) bias = std::max(bias, Abs(b));
  ProveAttention(proof, a, bias);
}

std::vector<int32_t> PaddingToken(const BiasedAttention& a) {
  using namespace reference;
  const Tensor<int32_t> zero(1, a.windows.width());
  const Tensor<int32_t> acc = Multiply(OverCodes(a.qkv, a.norm.out, Scalar().flip), Norm(a.norm, zero));
  return {acc[0], acc[0] + a.qkv.out};
}

}  // namespace intsam::internal
