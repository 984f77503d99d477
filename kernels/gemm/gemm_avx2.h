// What the AVX2 GEMMs share: sums of a tile, prefetching. Only for files compiled with -mavx2.
#ifndef INTSAM_KERNELS_GEMM_GEMM_AVX2_H_
#define INTSAM_KERNELS_GEMM_GEMM_AVX2_H_

#include <algorithm>

#include "kernels/isa/avx2.h"
#include "kernels/kernels.h"
#include "kernels/numerics/packed_weights.h"

namespace intsam::internal {

// How many pairs of products of a column a tier may add in s16 (VPMADDUBSW adds two): 0 if even one pair can overflow.
// Packed weights are taken as code - 2^(bits-1), which the zero point of a channel does not widen.
static inline int NarrowSpan(const GemmA8W8& g) {
  const int w_max = g.weights.bits == 8 ? g.weights.max_abs : 1 << (g.weights.bits - 1);
  return g.a_max == 0 ? 1 : 32767 / (2 * g.a_max * w_max);
}

// Needs NarrowSpan(g) > 0.
void NarrowGemm(const GemmA8W8& g);

namespace avx2 {

// The sums of kRows rows of one panel, which stay in registers.
template <int kRows>
static inline void LoadSums(const int32_t* from, size_t stride, __m256i (&left)[kRows], __m256i (&right)[kRows]) {
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) left[r] = Load(from + r * stride), right[r] = Load(from + r * stride + 8);
}
template <int kRows>
static inline void StoreSums(const __m256i (&left)[kRows], const __m256i (&right)[kRows], int32_t* to, size_t stride) {
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) Store(to + r * stride, left[r]), Store(to + r * stride + 8, right[r]);
}

// Panels are read a piece at a time, which hardware prefetchers lose track of: while `rows` rows meet one piece, the
// next one is fetched, a few lines with every tile of rows.
class PanelPrefetch {
 public:
  PanelPrefetch(const WeightPanels& w, int depth, int rows)
      : lines_((depth / 4 * static_cast<int>(GroupBytes(w.bits)) + 63) / 64),
        lines_per_row_(rows < kWorthwhileRows ? 0 : (lines_ + rows - 1) / rows) {}

  // `piece` lies ahead; rows first..first+count-1 are at work.
  void operator()(const uint8_t* piece, int first, int count) const {
    const int last = std::min((first + count) * lines_per_row_, lines_);
    for (int line = first * lines_per_row_; line < last; ++line) {
      _mm_prefetch(reinterpret_cast<const char*>(piece + 64 * line), _MM_HINT_T0);
    }
  }

 private:
  static constexpr int kWorthwhileRows = 24;  // with fewer, prefetching costs more than it hides
  int lines_, lines_per_row_;
};

}  // namespace avx2
}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_GEMM_GEMM_AVX2_H_
