// Rows of a LayerNorm (docs/numerics.md, section 4), as every vector tier goes through them.
#ifndef INTSAM_KERNELS_NN_LAYER_NORM_ROWS_H_
#define INTSAM_KERNELS_NN_LAYER_NORM_ROWS_H_

#include <algorithm>

#include "kernels/numerics/layer_norm.h"

namespace intsam::internal {

struct RowSums {
  int64_t values, squares;
};

struct RowStatistics {
  int32_t mean;
  LayerNormScale scale;
};

// sum (x - mu)^2 = sum x^2 - 2 mu sum x + C mu^2 holds exactly, and every term stays below 2^59.
static inline RowStatistics StatisticsOf(const RowSums& sums, int channels, int64_t epsilon, int32_t sqrt_c) {
  const int64_t mean = LayerNormMean(sums.values, channels);
  const int64_t deviations = sums.squares - 2 * mean * sums.values + channels * mean * mean;
  return {static_cast<int32_t>(mean), LayerNormScaleOf(epsilon + deviations, sqrt_c)};
}

// Rows whose statistics are found before the first of them is normalized: a row's mean and root are a chain of
// divisions and products about as long as the work of its vectors, and the chains of several rows overlap.
constexpr int kRowsAhead = 8;

// use(statistics, x, out) for every row of a LayerNorm; sums_of(x, channels).
template <class LayerNorm, class SumsOf, class Use>
static inline void ForEachRow(const LayerNorm& l, const SumsOf& sums_of, const Use& use) {
  RowStatistics statistics[kRowsAhead];
  for (int first = 0; first < l.rows; first += kRowsAhead) {
    const int rows = std::min(kRowsAhead, l.rows - first);
    const int32_t* x = l.x + static_cast<size_t>(first) * l.x_stride;
    for (int r = 0; r < rows; ++r) {
      const RowSums sums = sums_of(x + static_cast<size_t>(r) * l.x_stride, l.channels);
      statistics[r] = StatisticsOf(sums, l.channels, l.epsilon, l.sqrt_c);
    }
    auto* out = l.out + static_cast<size_t>(first) * l.out_stride;
    for (int r = 0; r < rows; ++r, x += l.x_stride, out += l.out_stride) use(statistics[r], x, out);
  }
}

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NN_LAYER_NORM_ROWS_H_
