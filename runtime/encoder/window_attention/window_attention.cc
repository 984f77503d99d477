#include "runtime/encoder/window_attention/window_attention.h"

#include <algorithm>

#include "runtime/records/proof.h"

namespace intsam::internal {
namespace {

void ProveRelPos(Proof& proof, const char* site, const RelPos& rel, int64_t& logit) {
  int64_t bound = 0;
  for (size_t row = 0; row < rel.table.size(); row += rel.head_dim) {
    int64_t magnitude = 0;
    for (uint32_t d = 0; d < rel.head_dim; ++d) magnitude += Abs(rel.table[row + d]);
    bound = std::max(bound, 127 * magnitude);
  }
  proof.Accumulators(site, {bound});
  proof.Requantized(site, rel.rq, bound);
  logit += ((bound * rel.rq.mult) >> rel.rq.shift) + 1;
}

}  // namespace

WindowAttention::WindowAttention(const Windows& over) : SelfAttention(over) {
  rel_pos_h.side = rel_pos_w.side = over.side;
  rel_pos_h.head_dim = rel_pos_w.head_dim = over.head_dim;
}

void Prove(Proof& proof, WindowAttention& a) {
  proof.Narrow("norm1", a.norm);
  proof.Lifted("attn.qkv", proof.CodesLayer("attn.qkv", a.qkv, a.norm.out),
               std::max({a.q_rq.up, a.k_rq.up, a.v_rq.up}));
  proof.SignedCodes("attn.q.rq.out", a.q_rq.out);
  proof.SignedCodes("attn.k.rq.out", a.k_rq.out);
  proof.SignedCodes("attn.v.rq.out", a.v_rq.out);
  proof.SignedCodes("attn.softmax.out", a.softmax.out);
  // |q.k| <= d * 127^2, and both relative positions are added to it.
  int64_t logit = int64_t{a.windows.head_dim} * 127 * 127;
  ProveRelPos(proof, "attn.rel_pos_h", a.rel_pos_h, logit);
  ProveRelPos(proof, "attn.rel_pos_w", a.rel_pos_w, logit);
  if (logit >= INT32_MAX) proof.Fail("attn", 0, "logits can reach", logit);
  proof.Attention("attn.softmax", a.softmax, a.windows.keys());
  proof.Requantized("attn.proj.rq", a.proj_rq, proof.CodesLayer("attn.proj", a.proj, a.softmax.out));
}

}  // namespace intsam::internal
