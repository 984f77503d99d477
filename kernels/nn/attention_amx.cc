// AMX attention: probabilities times values (docs/numerics.md 6.4) as products of codes. A probability below 2^15 is
// 256 h + l. Heads and windows that are too small to fill tiles are the avx512vnni tier's.
#include "kernels/gemm/gemm_vnni.h"
#include "kernels/isa/avx512.h"
#include "kernels/nn/mix_codes.h"
#include "kernels/nn/mix_vnni.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx512;

struct AmxCodes {
  static constexpr int kKeys = 1024, kMixRows = 16;

  static void PackGroup4(const int8_t* const rows[4], int8_t* out) {
    const __m128i a = avx2::LoadHalf(rows[0]), b = avx2::LoadHalf(rows[1]);
    const __m128i c = avx2::LoadHalf(rows[2]), e = avx2::LoadHalf(rows[3]);
    const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
    const __m128i ce_low = _mm_unpacklo_epi8(c, e), ce_high = _mm_unpackhi_epi8(c, e);
    avx2::StoreHalf(out, _mm_unpacklo_epi16(ab_low, ce_low));
    avx2::StoreHalf(out + 16, _mm_unpackhi_epi16(ab_low, ce_low));
    avx2::StoreHalf(out + 32, _mm_unpacklo_epi16(ab_high, ce_high));
    avx2::StoreHalf(out + 48, _mm_unpackhi_epi16(ab_high, ce_high));
  }

  static bool Split(const uint16_t* prob, size_t stride, int rows, int keys, uint8_t* codes, int codes_stride) {
    __m512i any = _mm512_setzero_si512();
    __m256i any_last = _mm256_setzero_si256();
    for (int r = 0; r < rows; ++r, prob += stride) {
      uint8_t* const low = codes + r * codes_stride;
      uint8_t* const high = low + rows * codes_stride;
      int j = 0;
      for (; j + 64 <= keys; j += 64) {
        const WordBytes bytes = SplitWords(Load(prob + j), Load(prob + j + 32));
        any = _mm512_or_si512(any, bytes.high);
        Store(low + j, bytes.low);
        Store(high + j, bytes.high);
      }
      for (; j < keys; j += 16) {
        const __m256i p = avx2::Load(prob + j), h = _mm256_srli_epi16(p, 8);
        any_last = _mm256_or_si256(any_last, h);
        const __m256i both = _mm256_packus_epi16(_mm256_and_si256(p, _mm256_set1_epi16(255)), h);
        const __m256i ordered = _mm256_permute4x64_epi64(both, 0xD8);
        avx2::StoreHalf(low + j, _mm256_castsi256_si128(ordered));
        avx2::StoreHalf(high + j, _mm256_extracti128_si256(ordered, 1));
      }
    }
    return _mm512_reduce_or_epi32(any) != 0 || _mm256_testz_si256(any_last, any_last) == 0;
  }

  static void Gemm(const GemmA8W8& g) { AmxGemmA8W8(g); }

  // low + 256 * high, eight columns at a time.
  static void Combine(const int32_t* low, const int32_t* high, bool start, int columns, int64_t* out) {
    for (int c = 0; c < columns; c += 8) {
      __m512i sum = _mm512_cvtepi32_epi64(avx2::Load(low + c));
      if (high != nullptr) {
        sum = _mm512_add_epi64(sum, _mm512_slli_epi64(_mm512_cvtepi32_epi64(avx2::Load(high + c)), 8));
      }
      const __mmask8 mask = FirstLanes<__mmask8>(columns - c);
      if (!start) sum = _mm512_add_epi64(sum, _mm512_maskz_loadu_epi64(mask, out + c));
      _mm512_mask_storeu_epi64(out + c, mask, sum);
    }
  }
};

// From here on the products saved are worth the splitting: windows of 196 keys took 1.1 to 1.4 times as long by tiles,
// whole images of 4096 half as long.
constexpr int kLeastKeys = 512;
bool TooSmall(int count, int d) { return count < kLeastKeys || d < mix_codes::kLeastDepth; }

void AmxPackValues(const PackValues& p) { TooSmall(p.count, p.d) ? Avx2PackValues(p) : mix_codes::Pack<AmxCodes>(p); }

void AmxAttentionMix(const AttentionMix& m) {
  TooSmall(m.count, m.d) ? Avx512vnniAttentionMix(m) : mix_codes::Mix<AmxCodes>(m);
}

}  // namespace

void FillAttentionAmx(Kernels& k) {
  k.pack_values = AmxPackValues;
  k.attention_mix = AmxAttentionMix;
}

}  // namespace intsam::internal
