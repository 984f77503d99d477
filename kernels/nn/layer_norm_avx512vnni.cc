// AVX-512 LayerNorm of R24 rows to codes (LN-N, docs/numerics.md, section 4): the steps of layer_norm_avx2.cc on
// vectors twice as wide.
#include "kernels/isa/avx512.h"
#include "kernels/numerics/layer_norm.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx512;

struct RowStatistics {
  int32_t mean;
  LayerNormScale scale;
};

// One pass: sum (x - mu)^2 = sum x^2 - 2 mu sum x + C mu^2 holds exactly, and every term stays below 2^59. At most 2048
// channels put at most 128 values of magnitude 2^23 - 1 into each s32 lane of the plain sum, which cannot wrap.
RowStatistics StatisticsOf(const int32_t* x, int channels, int64_t epsilon, int32_t sqrt_c) {
  __m512i sums = _mm512_setzero_si512(), squares_even = sums, squares_odd = sums;
  for (int c = 0; c < channels; c += 16) {
    const __m512i v = _mm512_maskz_loadu_epi32(FirstLanes<__mmask16>(channels - c), x + c);
    const __m512i odd = _mm512_srli_epi64(v, 32);
    sums = _mm512_add_epi32(sums, v);
    squares_even = _mm512_add_epi64(squares_even, _mm512_mul_epi32(v, v));
    squares_odd = _mm512_add_epi64(squares_odd, _mm512_mul_epi32(odd, odd));
  }
  int32_t lanes[16];
  Store(lanes, sums);
  int64_t sum = 0;
  for (int32_t lane : lanes) sum += lane;
  const int64_t mean = LayerNormMean(sum, channels);
  const int64_t squares = _mm512_reduce_add_epi64(_mm512_add_epi64(squares_even, squares_odd));
  return {static_cast<int32_t>(mean),
          LayerNormScaleOf(epsilon + squares - 2 * mean * sum + channels * mean * mean, sqrt_c)};
}

// kLeft: hh < 0, where the deviation is shifted left (a narrow row: |d| << -hh stays below 2^16).
template <bool kLeft>
void NarrowRow(const LayerNormNarrow& l, const int32_t* x, int32_t mean, LayerNormScale16 scale, const CodeRange& range,
               uint8_t* out) {
  const __m128i shift = _mm_cvtsi32_si128(kLeft ? -scale.shift : scale.shift);
  // RSH(x - mean, hh): the rounding half joins the mean.
  const int32_t half = scale.shift <= 0 ? 0 : 1 << (scale.shift - 1);
  const __m512i offset = _mm512_set1_epi32(half - mean);
  const __m512i reciprocal = _mm512_set1_epi16(scale.reciprocal);
  const __m128i end_shift = _mm_cvtsi32_si128(l.k);
  const auto deviation = [&](__m512i v) {
    const __m512i d = _mm512_add_epi32(v, offset);
    return kLeft ? _mm512_sll_epi32(d, shift) : _mm512_sra_epi32(d, shift);
  };
  ForEachVector<32>(l.channels, [&](int c, int count) {
    // The second half may start past the padding of a short row, so it is read only where elements exist.
    const auto upper = [&](const int32_t* p) { return count > 16 ? Load(p + c + 16) : _mm512_setzero_si512(); };
    const __m512i t = _mm512_packs_epi32(deviation(Load(x + c)), deviation(upper(x)));
    const __m512i v = _mm512_mulhrs_epi16(t, reciprocal);
    const __m512i gain = PackOrder(Load(l.gain + c));
    const __m512i low = _mm512_mullo_epi16(v, gain), high = _mm512_mulhi_epi16(v, gain);
    // Unpacking the halves of the products also undoes the order of the pack: channels 0-15, then 16-31.
    const __m512i first = _mm512_add_epi32(_mm512_unpacklo_epi16(low, high), Load(l.bias + c));
    const __m512i second = _mm512_add_epi32(_mm512_unpackhi_epi16(low, high), upper(l.bias));
    const __m512i packed = _mm512_packs_epi32(_mm512_sra_epi32(first, end_shift), _mm512_sra_epi32(second, end_shift));
    StoreFirst(out + c, CodesOfPack(packed, range), count);
  });
}

void Avx512LayerNormNarrow(const LayerNormNarrow& l) {
  const CodeRange range = MakeCodeRange(l.lo, l.hi, l.flip);
  for (int i = 0; i < l.rows; ++i) {
    const int32_t* x = l.x + static_cast<size_t>(i) * l.x_stride;
    uint8_t* out = l.out + static_cast<size_t>(i) * l.out_stride;
    const RowStatistics row = StatisticsOf(x, l.channels, l.epsilon, l.sqrt_c);
    const LayerNormScale16 scale = LayerNormScale16Of(row.scale);
    if (scale.shift < 0) {
      NarrowRow<true>(l, x, row.mean, scale, range, out);
    } else {
      NarrowRow<false>(l, x, row.mean, scale, range, out);
    }
  }
}

}  // namespace

void FillLayerNormAvx512vnni(Kernels& k) { k.layer_norm_narrow = Avx512LayerNormNarrow; }

}  // namespace intsam::internal
