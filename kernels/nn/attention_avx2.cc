// AVX2 attention around the two products (docs/numerics.md, sections 6 and 7): packing, the exact mix by VPMADDWD, the
// output codes, relative positions. The softmax between them is softmax_avx2.cc.
#include <algorithm>

#include "kernels/isa/avx2.h"
#include "kernels/nn/mix_vnni.h"
#include "kernels/nn/relative_position_x86.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx2;

// ---------------------------------------------------------------- packing

// Sixteen rows of 4 bytes at column c, side by side.
void GatherColumn(const int8_t* const rows[kPanel], int c, int8_t* out) {
  for (int r = 0; r < kPanel; ++r) std::memcpy(out + 4 * r, rows[r] + c, 4);
}

void Avx2PackKeys(const PackKeys& p) {
  const __m256i ones8 = _mm256_set1_epi8(1);
  const __m256i ones16 = _mm256_set1_epi16(1);
  int8_t* out = p.panels;
  for (int j0 = 0; j0 < p.count; j0 += kPanel) {
    const int8_t* rows[kPanel];
    for (int r = 0; r < kPanel; ++r) rows[r] = p.k + static_cast<size_t>(std::min(j0 + r, p.count - 1)) * p.stride;
    int c = 0;
    for (; c + 16 <= p.d; c += 16, out += 16 * kPanel) {
      for (int r = 0; r < kPanel; r += 4) {  // transpose 4 x 4 groups of 4 bytes
        const __m128i a = LoadHalf(rows[r] + c);
        const __m128i b = LoadHalf(rows[r + 1] + c);
        const __m128i e = LoadHalf(rows[r + 2] + c);
        const __m128i f = LoadHalf(rows[r + 3] + c);
        const __m128i ab_low = _mm_unpacklo_epi32(a, b);
        const __m128i ab_high = _mm_unpackhi_epi32(a, b);
        const __m128i ef_low = _mm_unpacklo_epi32(e, f);
        const __m128i ef_high = _mm_unpackhi_epi32(e, f);
        StoreHalf(out + 4 * r, _mm_unpacklo_epi64(ab_low, ef_low));
        StoreHalf(out + 4 * r + 64, _mm_unpackhi_epi64(ab_low, ef_low));
        StoreHalf(out + 4 * r + 128, _mm_unpacklo_epi64(ab_high, ef_high));
        StoreHalf(out + 4 * r + 192, _mm_unpackhi_epi64(ab_high, ef_high));
      }
    }
    for (; c < p.d; c += 4, out += 4 * kPanel) GatherColumn(rows, c, out);

    const int8_t* panel = out - static_cast<ptrdiff_t>(p.d) * kPanel;
    if (p.count - j0 < kPanel) {  // the last row was repeated in place of the padding
      for (int8_t* group = out - static_cast<ptrdiff_t>(p.d) * kPanel; group < out; group += 4 * kPanel) {
        std::memset(group + 4 * (p.count - j0), 0, static_cast<size_t>(4 * (kPanel - (p.count - j0))));
      }
    }
    __m256i low = _mm256_setzero_si256();
    __m256i high = _mm256_setzero_si256();
    for (int i = 0; i < p.d * kPanel; i += 64) {
      const auto sums = [&](const int8_t* keys) {
        return _mm256_madd_epi16(_mm256_maddubs_epi16(ones8, Load(keys)), ones16);
      };
      low = _mm256_add_epi32(low, sums(panel + i));
      high = _mm256_add_epi32(high, sums(panel + i + 32));
    }
    Store(p.column_sums + j0, low);
    Store(p.column_sums + j0 + 8, high);
  }
}

// ---------------------------------------------------------------- mix

constexpr int kMixRows = 6;
constexpr int kMixKeys = 512;  // keys whose products fit an s32 sum; 16 columns of their values fill half of L1
static_assert(int64_t{kMixKeys} * 32767 * 128 <= INT32_MAX);

// Adds four s32 to four s64, or starts the sums with them.
void Accumulate(int64_t* out, __m128i v, bool start) {
  const __m256i wide = _mm256_cvtepi32_epi64(v);
  Store(out, start ? wide : _mm256_add_epi64(wide, Load(out)));
}

// 16 columns of kRows rows over `pairs` pairs of keys; `columns` of the 16 exist.
template <int kRows>
void MixTile(const uint16_t* prob, size_t prob_stride, const int16_t* values, size_t pair_size, int pairs, int64_t* out,
             size_t out_stride, int columns, bool start) {
  __m256i left[kRows], right[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) left[r] = right[r] = _mm256_setzero_si256();
  for (int j = 0; j < pairs; ++j, prob += 2, values += pair_size) {
    const __m256i v_left = Load(values);
    const __m256i v_right = Load(values + 16);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m256i x = Broadcast32(prob + r * prob_stride);
      left[r] = _mm256_add_epi32(left[r], _mm256_madd_epi16(x, v_left));
      right[r] = _mm256_add_epi32(right[r], _mm256_madd_epi16(x, v_right));
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    int64_t* row = out + r * out_stride;
    if (columns >= 16) {
      Accumulate(row, _mm256_castsi256_si128(left[r]), start);
      Accumulate(row + 4, _mm256_extracti128_si256(left[r], 1), start);
      Accumulate(row + 8, _mm256_castsi256_si128(right[r]), start);
      Accumulate(row + 12, _mm256_extracti128_si256(right[r], 1), start);
    } else {
      int32_t lanes[16];
      Store(lanes, left[r]);
      Store(lanes + 8, right[r]);
      for (int c = 0; c < columns; ++c) row[c] = lanes[c] + (start ? 0 : row[c]);
    }
  }
}

constexpr decltype(&MixTile<1>) kMixTiles[] = {MixTile<1>, MixTile<2>, MixTile<3>, MixTile<4>, MixTile<5>, MixTile<6>};

void Avx2AttentionMix(const AttentionMix& m) {
  const size_t pair_size = 2 * static_cast<size_t>(m.d);
  const size_t d = static_cast<size_t>(m.d);
  const int padded = RoundUp(m.count, kPanel);
  for (int j = 0; j < padded; j += kMixKeys) {
    const int pairs = std::min(kMixKeys, padded - j) / 2;
    const int16_t* values = m.values + static_cast<size_t>(j / 2) * pair_size;
    for (int c = 0; c < m.d; c += 16) {
      for (int i = 0; i < m.rows; i += kMixRows) {
        const int rows = std::min(kMixRows, m.rows - i);
        kMixTiles[rows - 1](m.prob + static_cast<size_t>(i) * m.prob_stride + j, m.prob_stride, values + 2 * c,
                            pair_size, pairs, m.out + static_cast<size_t>(i) * d + c, d, m.d - c, j == 0);
      }
    }
  }
}

// ---------------------------------------------------------------- output codes

// N to the output value: RSH(RSH(N, pre) * mult, end). Results beyond +-2^24 are clamped before their high halves are
// lost; from a shift of 38 on there are none, and the bound is one that a product of two s32 does not reach.
class OutputScale {
 public:
  OutputScale(int pre_shift, int64_t mult, int shift)
      : pre_(MakeRoundShift64(pre_shift)),
        end_(MakeRoundShift64(std::min(shift, 62))),
        mult_(_mm256_set1_epi64x(mult)),
        most_(_mm256_set1_epi64x(int64_t{1} << std::min(shift + 24, 62))),
        least_(_mm256_sub_epi64(_mm256_setzero_si256(), most_)) {}

  // |N1| < 2^31, so the product is one VPMULDQ. The values are in lanes 0-3, and again in 4-7.
  __m256i Value(const int64_t* n) const {
    __m256i y = _mm256_mul_epi32(Apply(pre_, Load(n)), mult_);
    y = _mm256_blendv_epi8(y, most_, _mm256_cmpgt_epi64(y, most_));
    y = _mm256_blendv_epi8(y, least_, _mm256_cmpgt_epi64(least_, y));
    return _mm256_permutevar8x32_epi32(Apply(end_, y), _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
  }

 private:
  RoundShift64 pre_, end_;
  __m256i mult_, most_, least_;
};

OutputScale ScaleOfRow(const AttentionOutput& a, int row) {
  if (a.sum == nullptr) return {a.pre_shift, a.mult, a.shift};
  const AttentionDivisor divisor = AttentionDivisorOf(static_cast<uint32_t>(a.sum[row]), a.mult, a.shift);
  return {divisor.pre_shift, divisor.reciprocal, divisor.shift};
}

void Avx2AttentionOutput(const AttentionOutput& a) {
  const CodeRange range = MakeCodeRange(a.lo + a.zero, a.hi + a.zero, a.flip);
  const __m256i zero = _mm256_set1_epi32(a.zero);
  for (int i = 0; i < a.rows; ++i) {
    const OutputScale scale = ScaleOfRow(a, i);
    const int64_t* n = a.n + static_cast<size_t>(i) * static_cast<size_t>(a.d);
    uint8_t* out = a.out + static_cast<size_t>(i) * a.out_stride;
    for (int c = 0; c < a.d; c += 8) {
      const __m256i both = _mm256_blend_epi32(scale.Value(n + c), scale.Value(n + c + 4), 0xF0);
      const __m256i packed = _mm256_packs_epi32(_mm256_add_epi32(both, zero), _mm256_setzero_si256());
      const __m128i codes = CodesOfPack(packed, range);
      if (a.d - c >= 8) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + c), codes);
      } else {
        StoreFirst(out + c, codes, a.d - c);
      }
    }
  }
}

}  // namespace

void Avx2PackValues(const PackValues& p) {
  const int padded = RoundUp(p.count, kPanel);
  const size_t pair_size = 2 * static_cast<size_t>(p.d);
  for (int j = 0; j < p.count; j += 2) {
    const int8_t* even = p.v + static_cast<size_t>(j) * p.stride;
    const bool last = j + 1 == p.count;
    const int8_t* odd = last ? even : even + p.stride;
    const __m128i odd_mask = last ? _mm_setzero_si128() : _mm_set1_epi8(-1);
    int16_t* out = p.values + static_cast<size_t>(j / 2) * pair_size;
    for (int c = 0; c < p.d; c += 16) {
      const __m128i a = LoadHalf(even + c);
      const __m128i b = _mm_and_si128(LoadHalf(odd + c), odd_mask);
      const ptrdiff_t left = 2 * static_cast<ptrdiff_t>(p.d - c);
      StoreFirst(out + 2 * c, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)), left);
      if (left > 16) StoreFirst(out + 2 * c + 16, _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b)), left - 16);
    }
  }
  const size_t used = static_cast<size_t>((p.count + 1) / 2) * pair_size;
  std::fill(p.values + used, p.values + static_cast<size_t>(padded / 2) * pair_size, int16_t{0});
}

void FillAttentionAvx2(Kernels& k) {
  k.pack_keys = Avx2PackKeys;
  k.pack_values = Avx2PackValues;
  k.attention_mix = Avx2AttentionMix;
  k.attention_output = Avx2AttentionOutput;
  k.relative_position = x86::RelativePositions<Ymm>;
}

}  // namespace intsam::internal
