#include "runtime/encoder/biased_attention/biased_attention.h"

#include <algorithm>

#include "runtime/ops/tensors.h"
#include "runtime/records/proof.h"

namespace intsam::internal {

void Prove(Proof& proof, BiasedAttention& a) {
  proof.Narrow("attn.norm", a.norm);
  proof.Lifted("attn.qkv", proof.CodesLayer("attn.qkv", a.qkv, a.norm.out),
               std::max({a.q_rq.up, a.k_rq.up, a.v_rq.up}));
  proof.SignedCodes("attn.q.rq.out", a.q_rq.out);
  proof.SignedCodes("attn.k.rq.out", a.k_rq.out);
  proof.SignedCodes("attn.v.rq.out", a.v_rq.out);
  proof.SignedCodes("attn.softmax.out", a.softmax.out);
  // |q.k| <= d * 127^2, and a bias is added to it.
  int64_t bias = 0;
  for (const int32_t b : a.biases) bias = std::max(bias, Abs(b));
  const int64_t logit = int64_t{a.windows.head_dim} * 127 * 127 + bias;
  if (logit >= INT32_MAX) proof.Fail("attn", 0, "logits can reach", logit);
  proof.Attention("attn.softmax", a.softmax, a.windows.keys());
  proof.Requantized("attn.proj.rq", a.proj_rq, proof.CodesLayer("attn.proj", a.proj, a.softmax.out));
}

std::vector<int32_t> PaddingToken(const BiasedAttention& a) {
  using namespace reference;
  const Tensor<int32_t> zero(1, a.windows.width());
  const Tensor<int32_t> acc = Multiply(OverCodes(a.qkv, a.norm.out, Scalar().flip), Norm(a.norm, zero));
  return {acc[0], acc[0] + a.qkv.out};
}

}  // namespace intsam::internal
