// Scaled dot-product attention of one head over a strip of queries. Scores exist for one strip at a time, so they stay
// in cache and the 4096 x 4096 matrix of a global block never does.
#ifndef INTSAM_CONVERTER_FP32_ATTENTION_H_
#define INTSAM_CONVERTER_FP32_ATTENTION_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "converter/fp32/context.h"

namespace intsam::internal::fp32 {

// Rows of `dim` floats, `stride` floats apart.
struct Rows {
  const float* data;
  size_t stride;
  Rows From(size_t row) const { return {data + row * stride, stride}; }
};

// Scores due to the distance between query and key, [queries][side] each; null: none.
struct RelativeScores {
  const float* h = nullptr;
  const float* w = nullptr;
  size_t side = 0;
};

struct StripScratch {
  Buffer scores, sums;
};

// Where there is a hook for them, turns [queries][keys] scores that are still multiplied by their rows' `sums` into
// probabilities (and the sums into ones), and shows them.
void ShowProbabilities(const SoftmaxHook& hook, std::string_view attention, float* scores, size_t queries, size_t keys,
                       float* sums);

// Of the attention of this name: out row i = softmax(q_i k^T / sqrt(dim) + relative) v, still multiplied by sums[i]
// (scratch.sums): whoever moves the result to its place divides.
void AttendStrip(const SoftmaxHook& hook, std::string_view attention, const Rows& q, size_t queries, const Rows& k,
                 const Rows& v, size_t keys, size_t dim, const RelativeScores& relative, StripScratch& scratch,
                 float* out, size_t out_stride);

// Attention of all heads without relative positions, on a pool: q [queries][heads * dim], k and v [keys][heads * dim],
// out like q.
class PlainAttention {
 public:
  explicit PlainAttention(const Context& context)
      : context_(context), scratch_(static_cast<size_t>(context.pool.workers())) {}
  void Run(std::string_view attention, const float* q, size_t queries, const float* k, const float* v, size_t keys,
           size_t heads, size_t dim, float* out);

 private:
  const Context& context_;
  std::vector<StripScratch> scratch_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_ATTENTION_H_
