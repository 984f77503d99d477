// What attentions over windows have in common, whatever positions their logits depend on:
// x += proj(attention(qkv(norm(x)))). A kind derives its record from SelfAttention and its fused form from
// FusedSelfAttention (fused_self_attention.h).
#ifndef INTSAM_RUNTIME_ENCODER_WINDOWS_SELF_ATTENTION_H_
#define INTSAM_RUNTIME_ENCODER_WINDOWS_SELF_ATTENTION_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/encoder/kind.h"
#include "runtime/encoder/windows/windows.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/prepared_linear.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct SelfAttention {
  Windows windows;
  NormNarrow norm;
  Linear qkv;
  Rq16 q_rq, k_rq, v_rq;  // of the three thirds of qkv, each [head][head_dim]
  Softmax softmax;
  Linear proj;
  Rq32 proj_rq;

  explicit SelfAttention(const Windows& windows);
};

// The proof of all but the positions, before and behind them. norm: the name of its record. positions: the most, in
// magnitude, that they add to a logit.
void ProveProjections(Proof& proof, const char* norm, SelfAttention& attention);
void ProveAttention(Proof& proof, SelfAttention& attention, int64_t positions);

// The linear layers, ready for the kernels of a tier, and what padding tokens are.
struct PreparedSelfAttention {
  PreparedLinear qkv, proj;
  std::vector<int8_t> pad_k, pad_v;  // [width]

  // pad: the qkv accumulators of a padding token, [3 * width].
  PreparedSelfAttention(const SelfAttention& attention, std::span<const int32_t> pad, uint8_t flip);
};

// What positions add to the logits of a query: of `head`, at `place` of the window (row by row), q [head_dim].
using QueryPositions = std::function<ops::RowRelPos(uint32_t head, uint32_t place, const int8_t* q)>;

void RunReference(const SelfAttention& attention, const PreparedSelfAttention& prepared,
                  const QueryPositions& positions, ReferenceImage& image);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_WINDOWS_SELF_ATTENTION_H_
