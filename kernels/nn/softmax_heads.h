// The softmax of few keys in several heads (docs/numerics.md 6.6) as plain loops over 32-bit lanes, one per head, which
// a compiler turns into whatever vectors the flags of the including source allow.
#ifndef INTSAM_KERNELS_NN_SOFTMAX_HEADS_H_
#define INTSAM_KERNELS_NN_SOFTMAX_HEADS_H_

#include <algorithm>

#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {  // the flags differ from source to source: so do the instances

// kHeads heads of one row at a time, beginning with the first of `logits` and `prob`.
template <int kHeads>
class HeadsSoftmax {
 public:
  explicit HeadsSoftmax(const SoftmaxHeads& s)
      : s_(s),
        down_(s.shift > 0 ? s.shift : 0),
        up_(s.shift < 0 ? -s.shift : 0),
        widest_(65535u >> up_),
        top_(widest_ << up_) {}

  void operator()(const int32_t* logits, int16_t* prob) const {
    const int heads = s_.heads;
    int32_t maximum[kHeads];
    std::copy_n(logits, kHeads, maximum);
    for (int t = 1; t < s_.keys; ++t) {
      for (int h = 0; h < kHeads; ++h) maximum[h] = std::max(maximum[h], logits[t * heads + h]);
    }
    uint32_t sums[kHeads] = {}, reciprocals[kHeads], halves[kHeads], shifts[kHeads];
    for (int t = 0; t < s_.keys; ++t) {
      uint32_t e[kHeads];
      Exponentials(logits + t * heads, maximum, e);
      for (int h = 0; h < kHeads; ++h) sums[h] += e[h];
      for (int h = 0; h < kHeads; ++h) prob[t * heads + h] = static_cast<int16_t>(e[h]);
    }
    for (int h = 0; h < kHeads; ++h) {
      const TokenDivisor divisor = TokenDivisorOf(sums[h]);
      reciprocals[h] = divisor.reciprocal;
      shifts[h] = static_cast<uint32_t>(divisor.shift);
      halves[h] = uint32_t{1} << (divisor.shift - 1);
    }
    for (int t = 0; t < s_.keys; ++t) {
      int16_t* p = prob + t * heads;
      for (int h = 0; h < kHeads; ++h) {
        const uint32_t e = static_cast<uint16_t>(p[h]), quotient = (e * reciprocals[h] + halves[h]) >> shifts[h];
        p[h] = static_cast<int16_t>(std::min(quotient, 32767u));
      }
    }
  }

 private:
  // Exp2Negative(LogDistance(...)) without branches.
  void Exponentials(const int32_t* logits, const int32_t* maximum, uint32_t* e) const {
    for (int h = 0; h < kHeads; ++h) {
      const uint32_t u = static_cast<uint32_t>(maximum[h]) - static_cast<uint32_t>(logits[h]);
      const uint32_t d = std::min(u >> down_, widest_) << up_;
      const uint32_t t = d == top_ ? 65535u : (d * s_.mult) >> 16;
      const int32_t f = static_cast<int32_t>((t & 2047) << 4);
      int32_t x = ((-1296 * f + (1 << 14)) >> 15) + 7566;
      x = ((x * f + (1 << 14)) >> 15) - 22654;
      x = ((x * f + (1 << 14)) >> 15) + 32767;
      const uint32_t i = t >> 11, half = (uint32_t{1} << i) >> 1;
      e[h] = i > 15 ? 0 : (static_cast<uint32_t>(x) + half) >> i;
    }
  }

  const SoftmaxHeads& s_;
  const int down_, up_;
  const uint32_t widest_, top_;
};

void SoftmaxOfHeads(const SoftmaxHeads& s) {
  const HeadsSoftmax<8> eight(s);
  const HeadsSoftmax<1> one(s);
  const int columns = s.heads * s.keys;
  for (int i = 0; i < s.rows; ++i) {
    const int32_t* logits = s.logits + static_cast<size_t>(i) * s.logits_stride;
    int16_t* prob = s.prob + static_cast<size_t>(i) * s.prob_stride;
    int h = 0;
    for (; h + 8 <= s.heads; h += 8) eight(logits + h, prob + h);
    for (; h < s.heads; ++h) one(logits + h, prob + h);
    std::fill(prob + columns, prob + RoundUp(columns, 4), int16_t{0});
  }
}

}  // namespace
}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NN_SOFTMAX_HEADS_H_
