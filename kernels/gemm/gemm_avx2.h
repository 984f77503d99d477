// What the AVX2 GEMMs share: unpacking weights, sizes of blocks, prefetching. Only for files compiled with -mavx2.
#ifndef INTSAM_KERNELS_GEMM_GEMM_AVX2_H_
#define INTSAM_KERNELS_GEMM_GEMM_AVX2_H_

#include <algorithm>

#include "kernels/kernels.h"
#include "kernels/nn/avx2_common.h"
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

// A packed group: codes of channels 0..7 (left) and 8..15, as bytes.
struct CodesOfGroup {
  __m256i left, right;
};
template <int kBits>
static inline CodesOfGroup Unpack(const uint8_t* group) {
  const __m256i low = Load(group);
  const __m256i nibble = _mm256_set1_epi8(15);
  CodesOfGroup u{_mm256_and_si256(low, nibble), _mm256_and_si256(_mm256_srli_epi16(low, 4), nibble)};
  if constexpr (kBits >= 6) {
    const __m256i pairs = _mm256_broadcastsi128_si256(LoadHalf(group + 32));
    const __m256i bits45 = _mm256_set1_epi8(0x30);
    const __m256i up = _mm256_sllv_epi32(pairs, _mm256_setr_epi32(4, 4, 4, 4, 2, 2, 2, 2));
    const __m256i down = _mm256_srlv_epi32(pairs, _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2));
    u.left = _mm256_or_si256(u.left, _mm256_and_si256(up, bits45));
    u.right = _mm256_or_si256(u.right, _mm256_and_si256(down, bits45));
  }
  if constexpr (kBits % 2 != 0) {
    const __m256i tops =
        _mm256_broadcastq_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(group + GroupBytes(kBits - 1))));
    const __m256i top = _mm256_set1_epi8(1 << (kBits - 1));
    const __m256i bit = _mm256_set_epi64x(0x0808080808080808, 0x0404040404040404, 0x0202020202020202,  //
                                          0x0101010101010101);
    const auto set = [&](__m256i mask) {
      return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(tops, mask), mask), top);
    };
    u.left = _mm256_or_si256(u.left, set(bit));
    u.right = _mm256_or_si256(u.right, set(_mm256_slli_epi16(bit, 4)));
  }
  return u;
}

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

// Splits `total` into equal blocks of at most `limit`, both multiples of `unit`.
static inline int BlockSize(int total, int limit, int unit) {
  const int blocks = (total + limit - 1) / limit;
  return RoundUp((total + blocks - 1) / blocks, unit);
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
