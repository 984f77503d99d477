// AVX2 attention around the two products (docs/numerics.md, sections 6 and 7): packing, softmax of a row on 16-bit
// lanes, the exact mix by VPMADDWD, the output division, relative positions.
#include <algorithm>

#include "kernels/nn/avx2_common.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam {
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

// ---------------------------------------------------------------- softmax

// Stores the first `count` lanes (1..8) piecewise: a store that reached into the next row would stall its load.
void StorePieces(int32_t* p, __m256i v, int count) {
  if (count >= 8) return Store(p, v);
  __m128i part = _mm256_castsi256_si128(v);
  if (count & 4) {
    StoreHalf(p, part);
    p += 4;
    part = _mm256_extracti128_si256(v, 1);
  }
  if (count & 2) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), part);
    p += 2;
    part = _mm_srli_si128(part, 8);
  }
  if (count & 1) {
    const int32_t lane = _mm_cvtsi128_si32(part);
    std::memcpy(p, &lane, sizeof lane);
  }
}

// The larger of `maximum` and v in the first `count` lanes.
__m256i MaxFirst(__m256i maximum, __m256i v, int count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
  return _mm256_max_epi32(maximum, _mm256_blendv_epi8(maximum, v, mask));
}

int32_t MaxLane(__m256i v) {
  int32_t lanes[8];
  Store(lanes, v);
  return *std::max_element(lanes, lanes + 8);
}

// Adds the relative positions, if any, to the logits; the maximum of the row.
int32_t FinishLogits(const SoftmaxRow& s) {
  __m256i maximum = _mm256_set1_epi32(INT32_MIN);
  if (s.rh == nullptr) {
    int j = 0;
    for (; j + 8 <= s.count; j += 8) maximum = _mm256_max_epi32(maximum, Load(s.logits + j));
    if (j < s.count) maximum = MaxFirst(maximum, Load(s.logits + j), s.count - j);
    return MaxLane(maximum);
  }
  int32_t* logits = s.logits;
  for (int ky = 0; ky < s.side_h; ++ky, logits += s.side_w) {
    const __m256i rh = _mm256_set1_epi32(s.rh[ky]);
    int kx = 0;
    for (; kx + 8 <= s.side_w; kx += 8) {
      const __m256i v = _mm256_add_epi32(Load(logits + kx), _mm256_add_epi32(rh, Load(s.rw + kx)));
      Store(logits + kx, v);
      maximum = _mm256_max_epi32(maximum, v);
    }
    if (kx < s.side_w) {
      const __m256i v = _mm256_add_epi32(Load(logits + kx), _mm256_add_epi32(rh, Load(s.rw + kx)));
      StorePieces(logits + kx, v, s.side_w - kx);
      maximum = MaxFirst(maximum, v, s.side_w - kx);
    }
  }
  return MaxLane(maximum);
}

// The constants of one row's softmax. kUp: p < 0, where distances are shifted left.
template <bool kUp>
class RowSoftmax {
 public:
  RowSoftmax(const SoftmaxRow& s, int32_t maximum)
      : maximum_(_mm256_set1_epi32(maximum)),
        shift_(_mm_cvtsi32_si128(kUp ? -s.shift : s.shift)),
        mult_(_mm256_set1_epi16(static_cast<int16_t>(s.mult))) {
    const int widest = kUp ? 65535 >> -s.shift : 65535;
    widest_ = _mm256_set1_epi32(widest);
    top_ = _mm256_set1_epi16(static_cast<int16_t>(kUp ? widest << -s.shift : widest));
  }

  // e of kVectors * 16 logits; adds them to eight partial sums. The vectors go through each step side by side: the
  // chain of one is long, and a core looks ahead too little to overlap it with the next on its own.
  template <int kVectors>
  __m256i Exponentials(const int32_t* logits, uint16_t* prob, __m256i sums) const {
    const auto add = [](__m256i h, int c) { return _mm256_add_epi16(h, _mm256_set1_epi16(static_cast<int16_t>(c))); };
    // RSH(h, i) = |MRS(h, 2^(15-i))|, where 2^15 reads as -2^15. The bit of 2^(15-i) is in the high byte for i < 8 and
    // in the low byte otherwise, so one table serves both bytes. The high index is 0x70 + i, whose top bit, VPSHUFB's
    // mark of a zero, is set from i = 16 on; the low one is 0x68 + i, which meets the zeros of the table before that.
    const __m256i powers =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(-128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i t[kVectors], f[kVectors], h[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m256i packed = _mm256_packus_epi32(Distance(logits + 16 * v), Distance(logits + 16 * v + 8));
      const __m256i d = kUp ? _mm256_sll_epi16(packed, shift_) : packed;
      t[v] = _mm256_or_si256(_mm256_mulhi_epu16(d, mult_), _mm256_cmpeq_epi16(d, top_));
      f[v] = _mm256_slli_epi16(_mm256_and_si256(t[v], _mm256_set1_epi16(2047)), 4);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(_mm256_mulhrs_epi16(_mm256_set1_epi16(-1296), f[v]), 7566);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(_mm256_mulhrs_epi16(h[v], f[v]), -22654);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(_mm256_mulhrs_epi16(h[v], f[v]), 32767);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      // (i << 11) * 0x2020 >> 16 puts i = t >> 11 into both bytes.
      const __m256i i = _mm256_and_si256(t[v], _mm256_set1_epi16(int16_t{-2048}));
      const __m256i index = add(_mm256_mulhi_epu16(i, _mm256_set1_epi16(0x2020)), 0x7068);
      const __m256i e = _mm256_abs_epi16(_mm256_mulhrs_epi16(h[v], _mm256_shuffle_epi8(powers, index)));
      sums = _mm256_add_epi32(sums, _mm256_madd_epi16(e, ones));
      Store(prob + 16 * v, PackOrder(e));
    }
    return sums;
  }

 private:
  // min(u >> p, 65535), or min(u, 65535 >> -p): the unsigned minimum comes first, because VPACKUSDW reads s32.
  __m256i Distance(const int32_t* logits) const {
    const __m256i u = _mm256_sub_epi32(maximum_, Load(logits));
    return _mm256_min_epu32(kUp ? u : _mm256_srl_epi32(u, shift_), widest_);
  }

  __m256i maximum_;
  __m128i shift_;
  __m256i widest_, top_, mult_;
};

template <bool kUp>
int32_t Softmax(const SoftmaxRow& s, int32_t maximum) {
  const RowSoftmax<kUp> row(s, maximum);
  const int32_t* const logits = s.logits;
  uint16_t* const prob = s.prob;
  const int count = s.count;
  __m256i sums = _mm256_setzero_si256();
  int j = 0;
  for (; j + 4 * kPanel <= count; j += 4 * kPanel) sums = row.template Exponentials<4>(logits + j, prob + j, sums);
  for (; j < count; j += kPanel) {
    if (j + kPanel <= count) {
      sums = row.template Exponentials<1>(logits + j, prob + j, sums);
      continue;
    }
    // A logit of max + 1 (wrapping) is at distance 2^32 - 1, farther than any p in range can bring back: e = 0.
    int32_t tail[kPanel];
    std::fill(tail, tail + kPanel, static_cast<int32_t>(static_cast<uint32_t>(maximum) + 1));
    std::copy(logits + j, logits + count, tail);
    sums = row.template Exponentials<1>(tail, prob + j, sums);
  }
  uint32_t lanes[8];
  Store(lanes, sums);
  uint32_t sum = 0;
  for (uint32_t lane : lanes) sum += lane;
  return static_cast<int32_t>(sum);
}

void Avx2SoftmaxRow(SoftmaxRow& s) {
  const int32_t maximum = FinishLogits(s);
  s.sum = s.shift < 0 ? Softmax<true>(s, maximum) : Softmax<false>(s, maximum);
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

void Avx2AttentionOutput(const AttentionOutput& a) {
  const CodeRange range = MakeCodeRange(a.lo + 128, a.hi + 128, a.flip);
  const __m256i low_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
  for (int i = 0; i < a.rows; ++i) {
    const AttentionDivisor divisor = AttentionDivisorOf(static_cast<uint32_t>(a.sum[i]), a.mult, a.shift);
    const RoundShift64 pre = MakeRoundShift64(divisor.pre_shift);
    const RoundShift64 end = MakeRoundShift64(std::min(divisor.shift, 62));
    const __m256i reciprocal = _mm256_set1_epi64x(divisor.reciprocal);
    // |N1| < 2^30, so the product is one VPMULDQ; results beyond +-2^24 are clamped before their high halves are lost.
    const int64_t bound = int64_t{1} << std::min(divisor.shift + 24, 61);
    const __m256i most = _mm256_set1_epi64x(bound);
    const __m256i least = _mm256_set1_epi64x(-bound);
    const __m256i zero = _mm256_set1_epi32(128);
    const auto value = [&](const int64_t* n) {
      __m256i y = _mm256_mul_epi32(Apply(pre, Load(n)), reciprocal);
      y = _mm256_blendv_epi8(y, most, _mm256_cmpgt_epi64(y, most));
      y = _mm256_blendv_epi8(y, least, _mm256_cmpgt_epi64(least, y));
      return _mm256_permutevar8x32_epi32(Apply(end, y), low_halves);
    };
    const int64_t* n = a.n + static_cast<size_t>(i) * static_cast<size_t>(a.d);
    uint8_t* out = a.out + static_cast<size_t>(i) * a.out_stride;
    for (int c = 0; c < a.d; c += 8) {
      const __m256i both = _mm256_blend_epi32(value(n + c), value(n + c + 4), 0xF0);
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

// ---------------------------------------------------------------- relative positions

constexpr int kMaxDepth = 528;  // d <= 516, rounded up to whole vectors

// The sums of eight vectors, in order.
__m256i SumEach(const __m256i v[8]) {
  const __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
  const __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}

void Avx2RelativePosition(const RelativePosition& p) {
  const Rq32Lanes rq = MakeRq32Lanes(p.mult, p.shift);
  const size_t d = static_cast<size_t>(p.d);
  int16_t q[kMaxDepth];  // widened, zero from d on: whatever follows a table row is multiplied by zero
  for (int i = 0; i < p.rows; ++i) {
    const int8_t* source = p.q + static_cast<size_t>(i) * p.q_stride;
    for (size_t c = 0; c < d; c += 16) Store(q + c, _mm256_cvtepi8_epi16(LoadHalf(source + c)));
    std::fill(q + d, q + RoundUp(p.d, 16), int16_t{0});
    for (int t = 0; t < p.count; t += 8) {
      const int count = std::min(8, p.count - t);
      __m256i sums[8];
      for (int lane = 0; lane < 8; ++lane) {
        const int16_t* row = p.table + static_cast<size_t>(p.first + t + std::min(lane, count - 1)) * d;
        __m256i sum = _mm256_setzero_si256();
        for (size_t c = 0; c < d; c += 16) {
          sum = _mm256_add_epi32(sum, _mm256_madd_epi16(Load(q + c), Load(row + c)));
        }
        sums[lane] = sum;
      }
      StoreFirst(p.out + static_cast<size_t>(i) * p.out_stride + t, Apply(rq, SumEach(sums)), count);
    }
  }
}

}  // namespace

void FillAttentionAvx2(Kernels& k) {
  k.pack_keys = Avx2PackKeys;
  k.pack_values = Avx2PackValues;
  k.softmax_row = Avx2SoftmaxRow;
  k.attention_mix = Avx2AttentionMix;
  k.attention_output = Avx2AttentionOutput;
  k.relative_position = Avx2RelativePosition;
}

}  // namespace intsam
