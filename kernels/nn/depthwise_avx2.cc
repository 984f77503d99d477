// AVX2 depthwise convolutions (docs/numerics.md, section 3.5): VPMADDWD of pairs of taps. The pixels of the upper two
// rows, one above the other, are a pair, as are two neighbours of the lowest row; a pair serves every output under
// which it comes to lie.
//
// Eight channels are walked along the whole strip, so that their weights stay in registers.
#include "kernels/isa/avx2.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx2;

// Pairs (x, y) of eight channels as s16.
__m128i Interleaved(const void* x, const void* y) {
  const auto load = [](const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); };
  return _mm_unpacklo_epi8(load(x), load(y));
}
__m256i Pairs(const uint8_t* x, const uint8_t* y) { return _mm256_cvtepu8_epi16(Interleaved(x, y)); }
__m256i Pairs(const int8_t* x, const int8_t* y) { return _mm256_cvtepi8_epi16(Interleaved(x, y)); }
__m256i Pairs(const int16_t* x, const int16_t* y) {
  const __m128i a = LoadHalf(x), b = LoadHalf(y);
  return _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b));
}

// Channels first..first+7 of a strip.
template <int kStride, class Arguments>
void EightChannels(const Arguments& d, int first) {
  const size_t channels = static_cast<size_t>(d.channels);
  const auto *upper = d.rows[0] + first, *middle = d.rows[1] + first, *lower = d.rows[2] + first;
  const auto column = [&](size_t x) { return Pairs(upper + x * channels, middle + x * channels); };
  const auto lower_pair = [&](size_t x) { return Pairs(lower + x * channels, lower + (x + 1) * channels); };
  const auto tap = [&](size_t i) { return d.weight + i * channels + first; };
  const __m256i w0 = Pairs(tap(0), tap(3)), w1 = Pairs(tap(1), tap(4)), w2 = Pairs(tap(2), tap(5));
  const __m256i w_lower = Pairs(tap(6), tap(7));
  const __m256i w_last = _mm256_slli_epi32(Pairs(tap(8), tap(8)), 16);  // the left one of its pair is done
  const __m256i bias = Load(d.bias + first);

  __m256i c0 = column(0), c1 = column(1), lower0 = lower_pair(0);
  int32_t* acc = d.acc + first;
  for (int x = 0; x < d.count; ++x, acc += d.acc_stride) {
    if (kStride == 2 && x > 0) c1 = column(1), lower0 = lower_pair(0);
    const __m256i c2 = column(2), lower1 = lower_pair(1);
    const __m256i low = _mm256_add_epi32(_mm256_madd_epi16(lower0, w_lower), _mm256_madd_epi16(lower1, w_last));
    const __m256i left = _mm256_add_epi32(_mm256_madd_epi16(c0, w0), _mm256_madd_epi16(c1, w1));
    const __m256i right = _mm256_add_epi32(_mm256_madd_epi16(c2, w2), bias);
    Store(acc, _mm256_add_epi32(_mm256_add_epi32(left, right), low));
    if (kStride == 1) c0 = c1, c1 = c2, lower0 = lower1;
    if (kStride == 2) c0 = c2;
    upper += kStride * channels, middle += kStride * channels, lower += kStride * channels;
  }
}

template <class Arguments>
void Avx2Depthwise(const Arguments& d) {
  for (int c = 0; c < d.channels; c += 8) d.stride == 1 ? EightChannels<1>(d, c) : EightChannels<2>(d, c);
}

}  // namespace

void FillDepthwiseAvx2(Kernels& k) {
  k.depthwise_codes = Avx2Depthwise<DepthwiseCodes>;
  k.depthwise_s16 = Avx2Depthwise<DepthwiseS16>;
}

}  // namespace intsam::internal
