#include "runtime/encoder/window_attention/window_attention.h"

#include <algorithm>

#include "runtime/records/proof.h"

namespace intsam::internal {
namespace {

// Returns what it can add to a logit. The zero point of queries enters as a bias, and 128 of their codes apart from it.
int64_t ProveRelPos(Proof& proof, const char* site, const RelPos& rel, const Codes& queries) {
  const int64_t reach = 128 + Abs(int64_t{queries.zero} - 128);
  int64_t bound = 0;
  for (size_t row = 0; row < rel.table.size(); row += rel.head_dim) {
    int64_t magnitude = 0;
    for (uint32_t d = 0; d < rel.head_dim; ++d) magnitude += Abs(rel.table[row + d]);
    bound = std::max(bound, reach * magnitude);
  }
  proof.Accumulators(site, {bound});
  proof.Requantized(site, rel.rq, bound);
  return ((bound * rel.rq.mult) >> rel.rq.shift) + 1;
}

}  // namespace

WindowAttention::WindowAttention(const Windows& over) : SelfAttention(over) {
  rel_pos_h.side = rel_pos_w.side = over.side;
  rel_pos_h.head_dim = rel_pos_w.head_dim = over.head_dim;
}

void Prove(Proof& proof, WindowAttention& a) {
  ProveProjections(proof, "norm1", a);
  const int64_t h = ProveRelPos(proof, "attn.rel_pos_h", a.rel_pos_h, a.q_rq.out);
  const int64_t w = ProveRelPos(proof, "attn.rel_pos_w", a.rel_pos_w, a.q_rq.out);
  ProveAttention(proof, a, h + w);
}

}  // namespace intsam::internal
