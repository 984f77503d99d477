// AVX2 LayerNorm of R24 rows (docs/numerics.md, section 4): to codes the 256-bit instance of layer_norm_x86.h, to s16
// (LN-W) 64-bit products per element.
#include <algorithm>
#include <cstdlib>

#include "kernels/isa/avx2.h"
#include "kernels/nn/layer_norm_x86.h"

namespace intsam::internal {
namespace {

using namespace avx2;
using x86::RowStatistics;

// Clamps to +-limit in s64.
__m256i Clamp64(__m256i x, __m256i limit) {
  const __m256i negative = _mm256_sub_epi64(_mm256_setzero_si256(), limit);
  x = _mm256_blendv_epi8(x, limit, _mm256_cmpgt_epi64(x, limit));
  return _mm256_blendv_epi8(x, negative, _mm256_cmpgt_epi64(negative, x));
}

// Where no sum n * gain + bias leaves s32 after the shift and no shift exceeds 32, the low halves of logically shifted
// values are the results, and 16-bit saturation is the clamp. |n| < 2^22: it is a deviation over sigma, at most
// sqrt(2048), in units of 2^-16.
constexpr int kLowShift = 32;  // the largest shift after which a low half is still whole
constexpr int kMaxChannels = 2048;

bool FitsLowHalves(const LayerNormWide& l) {
  if (l.shift > kLowShift || l.channels > kMaxChannels) return false;
  int64_t gain = 0, bias = 0;
  for (int c = 0; c < l.channels; ++c) {
    gain = std::max(gain, std::abs(int64_t{l.gain[c]}));
    bias = std::max(bias, std::abs(l.bias[c]));
  }
  return (gain << 22) + bias < int64_t{1} << (30 + l.shift);
}

// Even and odd channels apart, for VPMULDQ.
struct WideConstants {
  int64_t bias_even[kMaxChannels / 2 + 4], bias_odd[kMaxChannels / 2 + 4];  // with the rounding half
};

void WideLowHalves(const LayerNormWide& l, const RowStatistics& row, const WideConstants& constants, const int32_t* x,
                   int16_t* out) {
  const __m256i mean = _mm256_set1_epi32(row.mean);
  const __m256i reciprocal = _mm256_set1_epi32(row.scale.reciprocal);
  const int normal_shift = 15 + row.scale.h;
  const __m256i normal_half = _mm256_set1_epi64x(int64_t{1} << (normal_shift - 1));
  const __m128i normal = _mm_cvtsi32_si128(normal_shift);
  const __m128i end_even = _mm_cvtsi32_si128(l.shift), end_odd = _mm_cvtsi32_si128(kLowShift - l.shift);
  const __m128i least = _mm_set1_epi16(-32767);
  const auto sum = [&](__m256i d, __m256i gain, const int64_t* bias) {
    const __m256i n = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(d, reciprocal), normal_half), normal);
    return _mm256_add_epi64(_mm256_mul_epi32(n, gain), Load(bias));
  };
  const auto values = [&](int c) {
    const __m256i d = _mm256_sub_epi32(Load(x + c), mean);
    const __m256i gain = Load(l.gain + c);
    const __m256i even = sum(d, gain, constants.bias_even + c / 2);
    const __m256i odd = sum(_mm256_srli_epi64(d, 32), _mm256_srli_epi64(gain, 32), constants.bias_odd + c / 2);
    return _mm256_blend_epi32(_mm256_srl_epi64(even, end_even), _mm256_sll_epi64(odd, end_odd), 0xAA);
  };
  ForEachVector<8>(l.channels, [&](int c, int count) {
    const __m256i v = values(c);
    const __m128i packed = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    StoreFirst(out + c, _mm_max_epi16(packed, least), count);
  });
}

void Avx2LayerNormWide(const LayerNormWide& l) {
  WideConstants constants;
  const bool fits = FitsLowHalves(l);
  for (int c = 0; fits && c < l.channels; ++c) {
    (c % 2 == 0 ? constants.bias_even : constants.bias_odd)[c / 2] = l.bias[c] + (int64_t{1} << (l.shift - 1));
  }
  const RoundShift64 end = MakeRoundShift64(l.shift);
  // RSH(32767 << sg, sg) = 32767, so the clamp may come before the shift, where it also keeps rounding from wrapping.
  const __m256i limit = _mm256_set1_epi64x(int64_t{32767} << l.shift);
  const __m256i low_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
  for (int i = 0; i < l.rows; ++i) {
    const int32_t* x = l.x + static_cast<size_t>(i) * l.x_stride;
    int16_t* out = l.out + static_cast<size_t>(i) * l.out_stride;
    const RowStatistics row = x86::StatisticsOf<Ymm>(x, l.channels, l.epsilon, l.sqrt_c);
    if (fits && 15 + row.scale.h <= kLowShift) {
      WideLowHalves(l, row, constants, x, out);
      continue;
    }
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
}

}  // namespace

void FillLayerNormAvx2(Kernels& k) {
  k.layer_norm_narrow = x86::LayerNormToCodes<Ymm>;
  k.layer_norm_wide = Avx2LayerNormWide;
}

}  // namespace intsam::internal
