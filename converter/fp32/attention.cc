// One strip of queries: product, softmax, product.
#include "converter/fp32/attention.h"

#include <algorithm>
#include <cmath>

#include "converter/fp32/matmul.h"
#include "converter/fp32/ops.h"
#include "converter/fp32/parallel.h"

namespace intsam::internal::fp32 {

void ShowProbabilities(const SoftmaxHook& hook, std::string_view attention, float* scores, size_t queries, size_t keys,
                       float* sums) {
  if (!hook) return;
  for (size_t i = 0; i < queries; ++i) ScaleRow(scores + i * keys, 1.0f / sums[i], keys, scores + i * keys);
  std::fill_n(sums, queries, 1.0f);
  hook(attention, std::span<float>(scores, queries * keys));
}

void AttendStrip(const SoftmaxHook& hook, std::string_view attention, const Rows& q, size_t queries, const Rows& k,
                 const Rows& v, size_t keys, size_t dim, const RelativeScores& relative, StripScratch& scratch,
                 float* out, size_t out_stride) {
  float* scores = scratch.scores.Resize(queries * keys);
  Product(Transpose::kYes, queries, keys, dim, q.data, q.stride, k.data, k.stride, scores, keys);
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  float* sums = scratch.sums.Resize(queries);
  SoftmaxRows(scores, queries, keys, scale, relative.h, relative.w, relative.side, sums);
  ShowProbabilities(hook, attention, scores, queries, keys, sums);
  Product(Transpose::kNo, queries, dim, keys, scores, keys, v.data, v.stride, out, out_stride);
}

void PlainAttention::Run(std::string_view attention, const float* q, size_t queries, const float* k, const float* v,
                         size_t keys, size_t heads, size_t dim, float* out) {
  constexpr size_t kStrip = 256;
  const size_t strips = (queries + kStrip - 1) / kStrip;
  const size_t stride = heads * dim;
  ParallelItems(context_.pool, heads * strips, heads * queries * keys, [&](size_t item, int thread) {
    const size_t column = item / strips * dim;
    const size_t first = item % strips * kStrip;
    const size_t count = std::min(kStrip, queries - first);
    float* to = out + first * stride + column;
    StripScratch& scratch = scratch_[static_cast<size_t>(thread)];
    AttendStrip(context_.softmax_hook, attention, Rows{q + column, stride}.From(first), count, {k + column, stride},
                {v + column, stride}, keys, dim, {}, scratch, to, stride);
    for (size_t i = 0; i < count; ++i) ScaleRow(to + i * stride, 1.0f / scratch.sums.data()[i], dim, to + i * stride);
  });
}

}  // namespace intsam::internal::fp32
