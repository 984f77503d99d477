// Normative attention around the two products (docs/numerics.md, sections 6 and 7): packing of keys and values, the
// exact mix, the output codes, relative positions. The softmax between them is softmax_scalar.cc.
#include <algorithm>

#include "kernels/numerics/requantize.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

void ScalarPackKeys(const PackKeys& p) {
  const int padded = RoundUp(p.count, kPanel);
  int8_t* out = p.panels;
  for (int j0 = 0; j0 < padded; j0 += kPanel) {
    for (int c0 = 0; c0 < p.d; c0 += 4) {
      for (int j = j0; j < j0 + kPanel; ++j) {
        for (int c = c0; c < c0 + 4; ++c) *out++ = j < p.count ? p.k[static_cast<size_t>(j) * p.stride + c] : int8_t{0};
      }
    }
  }
  for (int j = 0; j < padded; ++j) {
    p.column_sums[j] = 0;
    if (j >= p.count) continue;
    const int8_t* key = p.k + static_cast<size_t>(j) * p.stride;
    for (int c = 0; c < p.d; ++c) p.column_sums[j] += key[c];
  }
}

void ScalarPackValues(const PackValues& p) {
  const int padded = RoundUp(p.count, kPanel);
  int16_t* out = p.values;
  for (int j0 = 0; j0 < padded; j0 += 2) {
    for (int c = 0; c < p.d; ++c) {
      for (int j = j0; j < j0 + 2; ++j) *out++ = j < p.count ? p.v[static_cast<size_t>(j) * p.stride + c] : int16_t{0};
    }
  }
}

void ScalarAttentionMix(const AttentionMix& m) {
  const size_t d = static_cast<size_t>(m.d);
  for (size_t i = 0; i < static_cast<size_t>(m.rows); ++i) {
    const uint16_t* prob = m.prob + i * m.prob_stride;
    int64_t* out = m.out + i * d;
    std::fill_n(out, d, int64_t{0});
    for (size_t j = 0; j < static_cast<size_t>(m.count); ++j) {
      const int16_t* pairs = m.values + (j / 2) * 2 * d + j % 2;
      for (size_t c = 0; c < d; ++c) out[c] += int32_t{prob[j]} * pairs[2 * c];
    }
  }
}

void ScalarAttentionOutput(const AttentionOutput& a) {
  for (size_t i = 0; i < static_cast<size_t>(a.rows); ++i) {
    const int64_t* n = a.n + i * static_cast<size_t>(a.d);
    uint8_t* out = a.out + i * a.out_stride;
    const AttentionDivisor divisor =
        a.sum == nullptr ? AttentionDivisor{} : AttentionDivisorOf(static_cast<uint32_t>(a.sum[i]), a.mult, a.shift);
    for (int c = 0; c < a.d; ++c) {
      const int value = a.sum == nullptr ? ScaledOutputValue(n[c], a.pre_shift, a.mult, a.shift, a.lo, a.hi)
                                         : AttentionOutputValue(n[c], divisor, a.lo, a.hi);
      out[c] = static_cast<uint8_t>(static_cast<uint8_t>(value + a.zero) ^ a.flip);
    }
  }
}

void ScalarRelativePosition(const RelativePosition& p) {
  for (size_t i = 0; i < static_cast<size_t>(p.rows); ++i) {
    const int8_t* q = p.q + i * p.q_stride;
    for (int t = 0; t < p.count; ++t) {
      const int at = p.first + static_cast<int>(i) * p.step + t;
      const int16_t* pair = p.pairs + 2 * at;
      int32_t sum = p.bias[at];
      for (int c = 0; c < p.d; c += 2, pair += 2 * p.positions) sum += q[c] * pair[0] + q[c + 1] * pair[1];
      p.out[i * p.out_stride + static_cast<size_t>(t)] = static_cast<int32_t>(Requantize32(sum, p.mult, p.shift));
    }
  }
}

}  // namespace

void FillAttentionScalar(Kernels& k) {
  k.pack_keys = ScalarPackKeys;
  k.pack_values = ScalarPackValues;
  k.attention_mix = ScalarAttentionMix;
  k.attention_output = ScalarAttentionOutput;
  k.relative_position = ScalarRelativePosition;
}

}  // namespace intsam::internal
