// AVX2 LayerNorm of R24 rows (docs/numerics.md, section 4): the 256-bit instance of layer_norm_x86.h, and LN-W of what
// does not fit its low halves.
#include "kernels/isa/avx2.h"
#include "kernels/nn/layer_norm_x86.h"

namespace intsam::internal {
namespace {

using namespace avx2;

// Clamps to +-limit in s64.
__m256i Clamp64(__m256i x, __m256i limit) {
  const __m256i negative = _mm256_sub_epi64(_mm256_setzero_si256(), limit);
  x = _mm256_blendv_epi8(x, limit, _mm256_cmpgt_epi64(x, limit));
  return _mm256_blendv_epi8(x, negative, _mm256_cmpgt_epi64(negative, x));
}

}  // namespace

void x86::Avx2WideRow(const LayerNormWide& l, const RowStatistics& row, const int32_t* x, int16_t* out) {
  const RoundShift64 end = MakeRoundShift64(l.shift);
  // RSH(32767 << sg, sg) = 32767, so the clamp may come before the shift, where it also keeps rounding from wrapping.
  const __m256i limit = _mm256_set1_epi64x(int64_t{32767} << l.shift);
  const __m256i low_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
  const __m256i mean = _mm256_set1_epi32(row.mean);
  const __m256i reciprocal = _mm256_set1_epi32(row.scale.reciprocal);
  const RoundShift64 normal = MakeRoundShift64(15 + row.scale.h);
  // Four deviations and gains, in the low halves of 64-bit lanes; n fits s32.
  const auto value = [&](__m256i d, __m256i gain, __m256i bias) {
    const __m256i n = Apply(normal, _mm256_mul_epi32(d, reciprocal));
    return Apply(end, Clamp64(_mm256_add_epi64(_mm256_mul_epi32(n, gain), bias), limit));
  };
  ForEachVector<8>(l.channels, [&](int c, int count) {
    const __m256i d = _mm256_sub_epi32(Load(x + c), mean);
    const __m256i gain = Load(l.gain + c);
    const __m256i bias_low = Load(l.bias + c);
    const __m256i bias_high = Load(l.bias + c + 4);
    // Unpacking takes channels 0 1 4 5 and 2 3 6 7 to the 64-bit lanes; the biases follow.
    const __m256i first = value(_mm256_unpacklo_epi32(d, d), _mm256_unpacklo_epi32(gain, gain),
                                _mm256_permute2x128_si256(bias_low, bias_high, 0x20));
    const __m256i second = value(_mm256_unpackhi_epi32(d, d), _mm256_unpackhi_epi32(gain, gain),
                                 _mm256_permute2x128_si256(bias_low, bias_high, 0x31));
    // Low halves of both, then channel order 0 1 | 2 3 | 4 5 | 6 7.
    const __m256i both = _mm256_blend_epi32(_mm256_permutevar8x32_epi32(first, low_halves),
                                            _mm256_permutevar8x32_epi32(second, low_halves), 0xF0);
    const __m256i ordered = _mm256_permute4x64_epi64(both, 0xD8);
    const __m128i packed = _mm_packs_epi32(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    StoreFirst(out + c, packed, count);
  });
}

void FillLayerNormAvx2(Kernels& k) {
  k.layer_norm_narrow = x86::LayerNormToCodes<Ymm>;
  k.layer_norm_wide = x86::LayerNormToS16<Ymm>;
}

}  // namespace intsam::internal
