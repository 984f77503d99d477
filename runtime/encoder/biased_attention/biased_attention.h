// x += proj(attention(qkv(norm(x)))) in square windows, with a bias per head and distance in place of relative
// positions (docs/numerics.md 18). Windows that reach over the edge are padded with zeros before the norm.
#ifndef INTSAM_RUNTIME_ENCODER_BIASED_ATTENTION_BIASED_ATTENTION_H_
#define INTSAM_RUNTIME_ENCODER_BIASED_ATTENTION_BIASED_ATTENTION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/encoder/kind.h"
#include "runtime/encoder/windows/self_attention.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct BiasedAttention : SelfAttention {
  View<int32_t>
      biases;  // [heads][side^2], in logit units: of a key |dy| rows and |dx| columns away, |dy| * side + |dx|

  explicit BiasedAttention(const Windows& over) : SelfAttention(over) {}

  template <class V>
  void Visit(V& v) {
    v.Group("attn.norm", norm);
    v.Group("attn.qkv", qkv);
    v.Group("attn.q.rq", q_rq);
    v.Group("attn.k.rq", k_rq);
    v.Group("attn.v.rq", v_rq);
    v.Tensor("attn.attention_biases", biases, {windows.heads, windows.keys()}, -(1 << 30), 1 << 30);
    v.Group("attn.softmax", softmax);
    v.Group("attn.proj", proj);
    v.Group("attn.proj.rq", proj_rq);
  }
};

void Prove(Proof& proof, BiasedAttention& attention);
void RunReference(const BiasedAttention& attention, ReferenceImage& image);
FusedMemory MemoryOf(const BiasedAttention& attention);
std::unique_ptr<FusedLayer> MakeFused(const BiasedAttention& attention, const Kernels& kernels);

// The qkv accumulators of a padding token, [3 * width]: a token of zeros is the norm's bias behind the norm.
std::vector<int32_t> PaddingToken(const BiasedAttention& attention);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_BIASED_ATTENTION_BIASED_ATTENTION_H_
