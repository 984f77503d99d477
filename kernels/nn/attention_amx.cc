// AMX attention: probabilities times values (docs/numerics.md 6.4) as products of codes. A probability below 2^15 is
// two codes, 256 h + l; a strip of rows of h below rows of l times the values, s8 in panels, is a GEMM of twice the
// rows. Where no h differs from zero (U8), half of it is left out.
//
// The values of a head lie as [count / kKeys][d / 16][keys / 4][16][4], which fits the buffer from d = 8 on; smaller
// heads are the avx512vnni tier's.
#include <algorithm>

#include "kernels/gemm/gemm_vnni.h"
#include "kernels/nn/avx512_common.h"
#include "kernels/nn/mix_vnni.h"
#include "kernels/tiers.h"

namespace intsam {
namespace {

using namespace avx512;

constexpr int kKeys = 1024;          // of a block of panels
constexpr int kRows = 16;            // of probabilities at a time
constexpr int kColumns = 128;        // of sums at a time
constexpr int kStride = kKeys + 64;  // of codes; the 64 spreads rows over the sets of L1
constexpr int kLeastDepth = 8;

// Four keys of sixteen columns, side by side.
void PackGroup4(const int8_t* const rows[4], int8_t* out) {
  const __m128i a = avx2::LoadHalf(rows[0]), b = avx2::LoadHalf(rows[1]);
  const __m128i c = avx2::LoadHalf(rows[2]), e = avx2::LoadHalf(rows[3]);
  const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
  const __m128i ce_low = _mm_unpacklo_epi8(c, e), ce_high = _mm_unpackhi_epi8(c, e);
  avx2::StoreHalf(out, _mm_unpacklo_epi16(ab_low, ce_low));
  avx2::StoreHalf(out + 16, _mm_unpackhi_epi16(ab_low, ce_low));
  avx2::StoreHalf(out + 32, _mm_unpacklo_epi16(ab_high, ce_high));
  avx2::StoreHalf(out + 48, _mm_unpackhi_epi16(ab_high, ce_high));
}

void AmxPackValues(const PackValues& p) {
  if (p.d < kLeastDepth) return ScalarKernels().pack_values(p);
  int8_t* out = reinterpret_cast<int8_t*>(p.values);
  for (int j0 = 0; j0 < p.count; j0 += kKeys) {
    const int keys = RoundUp(std::min(kKeys, p.count - j0), kPanel);
    for (int c = 0; c < p.d; c += kPanel) {
      for (int j = j0; j < j0 + keys; j += 4, out += kGroup) {
        // Keys past the last have probability zero: any value serves.
        const int8_t* rows[4];
        for (int r = 0; r < 4; ++r) rows[r] = p.v + static_cast<size_t>(std::min(j + r, p.count - 1)) * p.stride + c;
        PackGroup4(rows, out);
      }
    }
  }
}

// Splits `keys` probabilities of each row into rows of low bytes, then rows of high ones; whether any of these is set.
bool Split(const uint16_t* prob, size_t stride, int rows, int keys, uint8_t* codes) {
  __m512i any = _mm512_setzero_si512();
  for (int r = 0; r < rows; ++r, prob += stride) {
    uint8_t* const low = codes + r * kStride;
    uint8_t* const high = low + rows * kStride;
    for (int j = 0; j < keys; j += 32) {
      const __m512i p = Load(prob + j), h = _mm512_srli_epi16(p, 8);
      // Of a last step that is half empty, the other half belongs to someone else.
      any = _mm512_or_si512(any, _mm512_maskz_mov_epi32(FirstLanes<__mmask16>((keys - j) / 2), h));
      avx2::Store(low + j, _mm512_cvtepi16_epi8(p));
      avx2::Store(high + j, _mm512_cvtepi16_epi8(h));
    }
  }
  return _mm512_reduce_or_epi32(any) != 0;
}

// out = (or +=) low + 256 * high for eight columns; `high` may be null.
void Combine(const int32_t* low, const int32_t* high, bool start, int columns, int64_t* out) {
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

// Sums of a block of keys stay below 2^31: 255 * 128 * kKeys.
void AmxAttentionMix(const AttentionMix& m) {
  if (m.d < kLeastDepth) return Avx512vnniAttentionMix(m);
  alignas(64) uint8_t codes[2 * kRows * kStride];
  alignas(64) int32_t sums[2 * kRows * kColumns];
  static constexpr int32_t kNoBias[kColumns] = {};
  const int padded = RoundUp(m.count, kPanel);
  const size_t d = static_cast<size_t>(m.d);
  for (int i0 = 0; i0 < m.rows; i0 += kRows) {
    const int rows = std::min(kRows, m.rows - i0);
    const uint16_t* prob = m.prob + static_cast<size_t>(i0) * m.prob_stride;
    const int8_t* panels = reinterpret_cast<const int8_t*>(m.values);
    for (int j = 0; j < padded; j += kKeys) {
      const int keys = std::min(kKeys, padded - j);
      const bool high = Split(prob + j, m.prob_stride, rows, keys, codes);
      for (int c = 0; c < m.d; c += kColumns) {
        const int columns = std::min(kColumns, m.d - c);
        AmxGemmA8W8({codes, kStride, S8Panels(panels), kNoBias, sums, kColumns, high ? 2 * rows : rows, columns, keys});
        for (int r = 0; r < rows; ++r) {
          const int32_t* low = sums + r * kColumns;
          Combine(low, high ? low + rows * kColumns : nullptr, j == 0, columns,
                  m.out + static_cast<size_t>(i0 + r) * d + c);
        }
        panels += static_cast<ptrdiff_t>(RoundUp(columns, kPanel)) * keys;
      }
    }
  }
}

}  // namespace

void FillAttentionAmx(Kernels& k) {
  k.pack_values = AmxPackValues;
  k.attention_mix = AmxAttentionMix;
}

}  // namespace intsam
