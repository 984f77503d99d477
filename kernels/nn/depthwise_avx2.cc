// AVX2 depthwise convolutions by VPMADDWD: the 256-bit instances of depthwise_pairs.h.
#include "kernels/isa/avx2.h"
#include "kernels/nn/depthwise_pairs.h"

namespace intsam::internal {
namespace {

struct YmmPairs : Ymm {
  static Vector Pairs(const uint8_t* x, const uint8_t* y) { return _mm256_cvtepu8_epi16(Interleaved(x, y)); }
  static Vector Pairs(const int8_t* x, const int8_t* y) { return _mm256_cvtepi8_epi16(Interleaved(x, y)); }
  static Vector Pairs(const int16_t* x, const int16_t* y) {
    const __m128i a = avx2::LoadHalf(x), b = avx2::LoadHalf(y);
    return _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b));
  }

 private:
  static __m128i Interleaved(const void* x, const void* y) {
    const auto load = [](const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); };
    return _mm_unpacklo_epi8(load(x), load(y));
  }
};

}  // namespace

void FillDepthwiseAvx2(Kernels& k) {
  k.depthwise_codes = x86::Depthwise<YmmPairs, DepthwiseCodes>;
  k.depthwise_s16 = x86::Depthwise<YmmPairs, DepthwiseS16>;
}

}  // namespace intsam::internal
