// x += proj(attention(qkv(norm(x)))) in square windows with relative positions, or in one window over the whole grid
// (docs/numerics.md 13, 14). Windows that reach over the edge are padded after the norm.
#ifndef INTSAM_RUNTIME_ENCODER_WINDOW_ATTENTION_WINDOW_ATTENTION_H_
#define INTSAM_RUNTIME_ENCODER_WINDOW_ATTENTION_WINDOW_ATTENTION_H_

#include <memory>

#include "runtime/encoder/kind.h"
#include "runtime/encoder/windows/self_attention.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct WindowAttention : SelfAttention {
  RelPos rel_pos_h, rel_pos_w;

  explicit WindowAttention(const Windows& windows);

  template <class V>
  void Visit(V& v) {
    v.Group("norm1", norm);
    v.Group("attn.qkv", qkv);
    v.Group("attn.q.rq", q_rq);
    v.Group("attn.k.rq", k_rq);
    v.Group("attn.v.rq", v_rq);
    v.Group("attn.rel_pos_h", rel_pos_h);
    v.Group("attn.rel_pos_w", rel_pos_w);
    v.Group("attn.softmax", softmax);
    v.Group("attn.proj", proj);
    v.Group("attn.proj.rq", proj_rq);
  }
};

void Prove(Proof& proof, WindowAttention& attention);
void RunReference(const WindowAttention& attention, ReferenceImage& image);
FusedMemory MemoryOf(const WindowAttention& attention);
std::unique_ptr<FusedLayer> MakeFused(const WindowAttention& attention, const Kernels& kernels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_WINDOW_ATTENTION_WINDOW_ATTENTION_H_
