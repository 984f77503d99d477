#include "runtime/encoder/windows/self_attention.h"

#include <algorithm>

#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/requantize.h"
#include "runtime/encoder/reference.h"
#include "runtime/records/proof.h"

namespace intsam::internal {

using namespace reference;

namespace {

std::vector<int8_t> SignedRow(const Rq16& rq, std::span<const int32_t> acc) {
  std::vector<int8_t> row(rq.n);
  for (uint32_t i = 0; i < rq.n; ++i) {
    const int code = Requantize16(static_cast<int32_t>(ShiftLeft(acc[i], static_cast<int>(rq.up))), rq.mult[i],
                                  rq.shift[i], static_cast<int>(rq.k), static_cast<int>(rq.out.zero),
                                  static_cast<int>(rq.out.lo), static_cast<int>(rq.out.hi));
    row[i] = static_cast<int8_t>(code - 128);
  }
  return row;
}

// Attention of all windows and heads: [tokens][width] codes.
Tensor<uint8_t> AttendWindows(const SelfAttention& a, const PreparedSelfAttention& prepared,
                              const QueryPositions& positions, const Tensor<int8_t>& qkv) {
  const uint32_t grid = a.windows.grid, side = a.windows.side, d = a.windows.head_dim, width = a.windows.width();
  Tensor<uint8_t> out(qkv.rows, width);
  for (uint32_t head = 0; head < a.windows.heads; ++head) {
    for (uint32_t wy = 0; wy < grid; wy += side) {
      for (uint32_t wx = 0; wx < grid; wx += side) {
        Tensor<int8_t> k(size_t{side} * side, d), v(size_t{side} * side, d), q(size_t{side} * side, d);
        std::vector<uint32_t> place, token;  // of real queries
        for (uint32_t key = 0; key < side * side; ++key) {
          const uint32_t y = wy + key / side, x = wx + key % side;
          if (y >= grid || x >= grid) {  // a pad: an ordinary key with constant values, but no query
            std::copy_n(prepared.pad_k.data() + head * d, d, k[key]);
            std::copy_n(prepared.pad_v.data() + head * d, d, v[key]);
            continue;
          }
          const int8_t* row = qkv[size_t{y} * grid + x] + head * d;
          std::copy_n(row, d, q[place.size()]);
          std::copy_n(row + width, d, k[key]);
          std::copy_n(row + 2 * width, d, v[key]);
          place.push_back(key);
          token.push_back(y * grid + x);
        }
        q.rows = place.size();
        const Tensor<uint8_t> attended = Attend(a.softmax, {a.q_rq.out, a.k_rq.out, a.v_rq.out}, q, k, v,
                                                [&](size_t i) { return positions(head, place[i], q[i]); });
        for (size_t i = 0; i < token.size(); ++i) std::copy_n(attended[i], d, out[token[i]] + head * d);
      }
    }
  }
  return out;
}

}  // namespace

SelfAttention::SelfAttention(const Windows& over)
    : windows(over), qkv(MakeLinear(over.width(), 3 * over.width())), proj(MakeLinear(over.width(), over.width())) {
  norm.channels = q_rq.n = k_rq.n = v_rq.n = proj_rq.n = over.width();
}

void ProveProjections(Proof& proof, const char* norm, SelfAttention& a) {
  proof.Narrow(norm, a.norm);
  proof.Lifted("attn.qkv", proof.CodesLayer("attn.qkv", a.qkv, a.norm.out),
               std::max({a.q_rq.up, a.k_rq.up, a.v_rq.up}));
  proof.CodesRange("attn.q.rq.out", a.q_rq.out);
  proof.CodesRange("attn.k.rq.out", a.k_rq.out);
  proof.CodesRange("attn.v.rq.out", a.v_rq.out);
  proof.CodesRange("attn.softmax.out", a.softmax.out);
}

void ProveAttention(Proof& proof, SelfAttention& a, int64_t positions) {
  // Operands of at most 255, keys as s8 and a bias of as much (docs/numerics.md 6.1), and positions are added to it.
  const int64_t logit = int64_t{a.windows.head_dim} * 2 * 255 * 128 + positions;
  if (logit >= INT32_MAX) proof.Fail("attn", 0, "logits can reach", logit);
  proof.Attention("attn.softmax", a.softmax, a.v_rq.out, a.windows.keys());
  proof.Requantized("attn.proj.rq", a.proj_rq, proof.CodesLayer("attn.proj", a.proj, a.softmax.out));
}

PreparedSelfAttention::PreparedSelfAttention(const SelfAttention& a, std::span<const int32_t> pad, uint8_t flip)
    : qkv(OverCodes(a.qkv, a.norm.out, flip)),
      proj(OverAttention(a.proj, a.softmax, flip)),
      pad_k(SignedRow(a.k_rq, pad.subspan(a.windows.width()))),
      pad_v(SignedRow(a.v_rq, pad.subspan(2 * a.windows.width()))) {}

void RunReference(const SelfAttention& a, const PreparedSelfAttention& prepared, const QueryPositions& positions,
                  ReferenceImage& image) {
  const Tensor<int32_t> acc = Multiply(prepared.qkv, Norm(a.norm, image.x));
  Tensor<int8_t> qkv(acc.rows, 0);
  for (const Rq16* rq : {&a.q_rq, &a.k_rq, &a.v_rq}) {
    qkv = Beside(qkv, ToSigned(*rq, Slice(acc, qkv.columns, rq->n)));
  }
  AddToR24(a.proj_rq, Multiply(prepared.proj, AttendWindows(a, prepared, positions, qkv)), image.x);
}

}  // namespace intsam::internal
