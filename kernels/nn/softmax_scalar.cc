// Normative softmax of a row (docs/numerics.md, sections 6.2 and 6.3): over all of its keys, with the final maximum
// and, for U8 and AGQ, the final sum.
#include <algorithm>

#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

// The distance t of key j.
uint16_t Distance(const SoftmaxRow& s, int32_t maximum, int j) {
  return LogDistance(static_cast<uint32_t>(maximum) - static_cast<uint32_t>(s.logits[j]), s.shift, s.mult);
}

void ScalarSoftmaxRow(SoftmaxRow& s) {
  if (s.rh != nullptr) {
    for (int ky = 0, j = 0; ky < s.side_h; ++ky) {
      for (int kx = 0; kx < s.side_w; ++kx, ++j)
        s.logits[j] += s.rh[ky] + s.rw[static_cast<size_t>(ky) * s.rw_stride + static_cast<size_t>(kx)];
    }
  }
  const int32_t maximum = *std::max_element(s.logits, s.logits + s.count);
  uint32_t sum = 0;
  for (int j = 0; j < s.count; ++j) {
    s.prob[j] = Exp2Negative(Distance(s, maximum, j));
    sum += s.prob[j];
  }
  const int bits = s.code.bits;
  if (s.code.variant == SoftmaxVariant::kU8) {
    const UniformRow row = UniformRowOf(sum, s.code.step_mult, s.code.step_shift);
    for (int j = 0; j < s.count; ++j) s.prob[j] = static_cast<uint16_t>(UniformCode(s.prob[j], row, bits));
  } else if (s.code.variant == SoftmaxVariant::kAgq) {
    const int32_t row_term = AgqRowTerm(sum, s.code.log2_scale);
    for (int j = 0; j < s.count; ++j) {
      const int code = AgqCode(Distance(s, maximum, j), row_term, s.code.tau_shift, bits);
      s.prob[j] = AgqDecode(code, s.code.tau_shift, bits);
    }
  }
  std::fill(s.prob + s.count, s.prob + RoundUp(s.count, kPanel), uint16_t{0});
  s.sum = static_cast<int32_t>(sum);
}

// One head of one row at a time.
void ScalarSoftmaxHeads(const SoftmaxHeads& s) {
  const int columns = s.heads * s.keys;
  for (int i = 0; i < s.rows; ++i) {
    const int32_t* logits = s.logits + static_cast<size_t>(i) * s.logits_stride;
    int16_t* prob = s.prob + static_cast<size_t>(i) * s.prob_stride;
    for (int h = 0; h < s.heads; ++h) {
      int32_t maximum = logits[h];
      for (int at = h; at < columns; at += s.heads) maximum = std::max(maximum, logits[at]);
      const auto exponential = [&](int at) {
        const uint32_t distance = static_cast<uint32_t>(maximum) - static_cast<uint32_t>(logits[at]);
        return uint32_t{Exp2Negative(LogDistance(distance, s.shift, s.mult))};
      };
      uint32_t sum = 0;
      for (int at = h; at < columns; at += s.heads) sum += exponential(at);
      const TokenDivisor divisor = TokenDivisorOf(sum);
      for (int at = h; at < columns; at += s.heads) {
        prob[at] = static_cast<int16_t>(TokenProbability(exponential(at), divisor));
      }
    }
    std::fill(prob + columns, prob + RoundUp(columns, 4), int16_t{0});
  }
}

}  // namespace

void FillSoftmaxScalar(Kernels& k) {
  k.softmax_row = ScalarSoftmaxRow;
  k.softmax_heads = ScalarSoftmaxHeads;
}

}  // namespace intsam::internal
