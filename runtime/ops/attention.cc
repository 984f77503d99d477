#include "runtime/ops/attention.h"

#include <algorithm>
#include <numeric>

namespace intsam::internal {
namespace {

// What the zero point of values adds to each mix: as often as there are probabilities.
void SubtractZero(HeadScratch& head, int rows) {
  int64_t* mixed = head.mixed;
  for (int i = 0; i < rows; ++i) {
    const int64_t zeros = int64_t{head.v_zero} * head.sums[i];
    for (int c = 0; c < head.mix_columns; ++c) *mixed++ -= zeros;
  }
}

}  // namespace

void HeadScratch::LayoutPacked(Arena& arena, int max_keys, int max_head_dim) {
  const size_t keys = static_cast<size_t>(RoundUp(max_keys, kPanel)), dim = static_cast<size_t>(max_head_dim);
  panels = arena.Take<int8_t>(keys * dim);
  bias = arena.Take<int32_t>(keys);
  values = arena.Take<int16_t>(keys * dim);
}

void HeadScratch::LayoutStrip(Arena& arena, int max_keys, int max_head_dim, int max_rows) {
  const size_t rows = static_cast<size_t>(max_rows);
  const size_t keys = static_cast<size_t>(RoundUp(max_keys, kPanel)), dim = static_cast<size_t>(max_head_dim);
  q = arena.Take<uint8_t>(rows * dim);
  logits = arena.Take<int32_t>(rows * LogitsStride(keys));
  prob = arena.Take<uint16_t>(rows * keys);
  mixed = arena.Take<int64_t>(rows * dim);
  sums = arena.Take<int32_t>(rows);
}

void HeadScratch::Layout(Arena& arena, int max_keys, int max_head_dim) {
  LayoutPacked(arena, max_keys, max_head_dim);
  LayoutStrip(arena, max_keys, max_head_dim, kStrip);
}

void HeadScratch::Share(const HeadScratch& packed) {
  count = packed.count, d = packed.d, mix_columns = packed.mix_columns;
  q_shift = packed.q_shift, q_zero = packed.q_zero, q_max = packed.q_max;
  k_max = packed.k_max, v_zero = packed.v_zero;
  panels = packed.panels, bias = packed.bias, values = packed.values;
}

void DescribeHead(const QkvCodes& codes, int count, int d, int mix_columns, HeadScratch& head) {
  head.count = count, head.d = d, head.mix_columns = mix_columns;
  head.q_shift = OperandShift(codes.q);
  head.q_zero = OperandZero(codes.q);
  head.q_max = OperandMax(codes.q);
  head.k_max = LargestValue(codes.k);
  head.v_zero = static_cast<int>(codes.v.zero) - 128;
}

void PackHead(const Kernels& k, const QkvCodes& codes, ops::Rows<const int8_t> keys, ops::Rows<const int8_t> values,
              int count, int d, HeadScratch& head) {
  DescribeHead(codes, count, d, d, head);
  k.pack_keys({keys.data, keys.stride, count, d, head.panels, head.bias});
  k.pack_values({values.data, values.stride, count, d, head.values});
  // pack_keys left the column sums in `bias`. What the zero point of keys adds is the same for all keys of a query.
  for (int j = 0; j < RoundUp(count, kPanel); ++j) head.bias[j] = FoldBias(0, head.bias[j], head.q_zero, k.flip);
}

void AttendStrip(const Kernels& k, const Softmax& softmax, ops::Rows<const int8_t> q, int rows,
                 const ops::RowRelPos* positions, HeadScratch& head, ops::Rows<uint8_t> out) {
  const int d = head.d;
  const size_t stride = static_cast<size_t>(RoundUp(head.count, kPanel));
  const size_t logits_stride = HeadScratch::LogitsStride(stride);
  for (int i = 0; i < rows; ++i) {
    const int8_t* row = q[static_cast<size_t>(i)];
    uint8_t* operand = head.q + i * d;  // apart from `head`, which a byte could alias
    const int shift = head.q_shift;
    for (int c = 0; c < d; ++c) operand[c] = static_cast<uint8_t>(row[c] + shift) ^ k.flip;
  }
  k.gemm_a8w8({head.q, static_cast<size_t>(d), S8Panels(head.panels, head.k_max), head.bias, head.logits, logits_stride,
               rows, head.count, d, head.q_max});
  for (int i = 0; i < rows; ++i) {
    const size_t row = static_cast<size_t>(i);
    uint16_t* prob = head.prob + row * stride;
    head.sums[i] = ops::Probabilities(k, softmax, head.logits + row * logits_stride, head.count,
                                      positions == nullptr ? ops::RowRelPos{} : positions[row], prob);
    if (head.v_zero != 0 && softmax.variant != Softmax::kE16)
      head.sums[i] = std::accumulate(prob, prob + head.count, 0);
  }
  for (int c = 0; c < d; c += head.mix_columns) {
    const int16_t* values = head.values + stride * static_cast<size_t>(c);
    k.attention_mix({head.prob, stride, values, rows, head.count, head.mix_columns, head.mixed});
    if (head.v_zero != 0) SubtractZero(head, rows);
    ops::AttentionCodes(k, softmax, head.mixed, head.sums, rows, head.mix_columns, {out.data + c, out.stride});
  }
}

}  // namespace intsam::internal
