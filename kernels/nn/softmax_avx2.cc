// AVX2 softmax of a row on 16-bit lanes (docs/numerics.md, sections 6.2 and 6.3): one sweep for the exponentials and
// their sum, and for U8 and AGQ a second one for the codes.
#include <algorithm>
#include <array>

#include "kernels/isa/avx2.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx2;

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

// v in the first `count` lanes, `rest` in the others.
__m256i FirstOf(__m256i v, int count, __m256i rest) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_blendv_epi8(rest, v, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
}

// The larger of `maximum` and v in the first `count` lanes.
__m256i MaxFirst(__m256i maximum, __m256i v, int count) {
  return _mm256_max_epi32(maximum, FirstOf(v, count, maximum));
}

int32_t MaxLane(__m256i v) {
  __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4E));
  return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xB1)));
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

// RSH(h, i) = |MRS(h, 2^(15-i))| for h in 0..2^15-1, where 2^15 reads as -2^15: that factor, for i = t >> 11. The bit
// of 2^(15-i) is in the high byte for i < 8 and in the low byte otherwise, so one table serves both bytes. The high
// index is 0x70 + i, whose top bit, VPSHUFB's mark of a zero, is set from i = 16 on; the low one is 0x68 + i, which
// meets the zeros of the table before that. Lanes that are all ones in `zero` give 0.
__m256i PowerOfShift(__m256i t, __m256i zero) {
  const __m256i powers =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  // (i << 11) * 0x2020 >> 16 puts i into both bytes.
  const __m256i i = _mm256_and_si256(t, _mm256_set1_epi16(int16_t{-2048}));
  const __m256i index = _mm256_add_epi16(_mm256_mulhi_epu16(i, _mm256_set1_epi16(0x2020)), _mm256_set1_epi16(0x7068));
  return _mm256_shuffle_epi8(powers, _mm256_or_si256(index, zero));
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

  // e of kVectors * 16 logits, added to eight partial sums; keeps e, or t with kDistances. The vectors go through each
  // step side by side: the chain of one is long, and a core looks ahead too little to overlap it with the next on its
  // own.
  template <bool kDistances, int kVectors>
  __m256i Exponentials(const int32_t* logits, uint16_t* prob, __m256i sums) const {
    const auto add = [](__m256i h, int c) { return _mm256_add_epi16(h, _mm256_set1_epi16(static_cast<int16_t>(c))); };
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
      const __m256i power = PowerOfShift(t[v], _mm256_setzero_si256());
      const __m256i e = _mm256_abs_epi16(_mm256_mulhrs_epi16(h[v], power));
      sums = _mm256_add_epi32(sums, _mm256_madd_epi16(e, ones));
      Store(prob + 16 * v, PackOrder(kDistances ? t[v] : e));
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

// The first sweep: e (or t) of every key, and the sum of e.
template <bool kUp, bool kDistances>
uint32_t Exponentials(const SoftmaxRow& s, int32_t maximum) {
  const RowSoftmax<kUp> row(s, maximum);
  const int32_t* const logits = s.logits;
  uint16_t* const prob = s.prob;
  const int count = s.count;
  __m256i sums = _mm256_setzero_si256();
  int j = 0;
  for (; j + 4 * kPanel <= count; j += 4 * kPanel)
    sums = row.template Exponentials<kDistances, 4>(logits + j, prob + j, sums);
  for (; j < count; j += kPanel) {
    if (j + kPanel <= count) {
      sums = row.template Exponentials<kDistances, 1>(logits + j, prob + j, sums);
      continue;
    }
    // A logit of max + 1 (wrapping) is at distance 2^32 - 1, farther than any p in range can bring back: t = 65535 and
    // e = 0, which every variant decodes to zero.
    const __m256i far = _mm256_set1_epi32(static_cast<int32_t>(static_cast<uint32_t>(maximum) + 1));
    const int left = count - j;
    alignas(32) int32_t tail[kPanel];
    Store(tail, FirstOf(Load(logits + j), left, far));
    Store(tail + 8, left > 8 ? FirstOf(Load(logits + j + 8), left - 8, far) : far);
    sums = row.template Exponentials<kDistances, 1>(tail, prob + j, sums);
  }
  uint32_t lanes[8];
  Store(lanes, sums);
  uint32_t sum = 0;
  for (uint32_t lane : lanes) sum += lane;
  return sum;
}

// The second sweep of U8: e to codes, in place.
void UniformCodes(const SoftmaxRow& s, uint32_t sum) {
  const UniformRow row = UniformRowOf(sum, s.code.step_mult, s.code.step_shift);
  const __m256i reciprocal = _mm256_set1_epi16(static_cast<int16_t>(row.reciprocal));
  const __m256i widest = _mm256_set1_epi16(255), most = _mm256_set1_epi16(static_cast<int16_t>((1 << s.code.bits) - 1));
  const __m128i down = _mm_cvtsi32_si128(row.shift - 1), up = _mm_cvtsi32_si128(std::min(-row.shift, 8));
  for (int j = 0; j < s.count; j += kPanel) {
    const __m256i e = Load(s.prob + j);
    const __m256i y = _mm256_mulhi_epu16(_mm256_add_epi16(e, e), reciprocal);
    // VPAVGW adds the last of the half's bits without the carry that adding all of it could lose.
    const __m256i code = row.shift > 0 ? _mm256_avg_epu16(_mm256_srl_epi16(y, down), _mm256_setzero_si256())
                                       : _mm256_sll_epi16(_mm256_min_epu16(y, widest), up);
    Store(s.prob + j, _mm256_min_epu16(code, most));
  }
}

// One byte of each entry of LUT_16.
constexpr std::array<uint8_t, 16> PowerBytes(int shift) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(kPowers16[i] >> shift);
  return bytes;
}
constexpr std::array<uint8_t, 16> kPowersLow = PowerBytes(0), kPowersHigh = PowerBytes(8);

// The second sweep of AGQ: t to decoded levels, in place.
void AgqLevels(const SoftmaxRow& s, uint32_t sum) {
  const int kt = s.code.tau_shift;
  // g = t + row with the half of the rounding, saturated to u16. Below zero every code is zero; from 2^15 on every
  // level is (sixteen octaves).
  const int row = AgqRowTerm(sum, s.code.log2_scale) + (1 << (10 - kt));
  const __m256i plus = _mm256_set1_epi16(static_cast<int16_t>(std::max(row, 0)));
  const __m256i minus = _mm256_set1_epi16(static_cast<int16_t>(std::max(-row, 0)));
  // Codes are counted in sixteenths of an octave: floored by the mask to the granularity, they index LUT_16.
  const __m256i fraction = _mm256_set1_epi16(static_cast<int16_t>(16 - (16 >> kt)));
  const __m256i last = _mm256_set1_epi16(static_cast<int16_t>((16 << s.code.bits >> kt) - 1));
  const __m256i low = _mm256_broadcastsi128_si256(LoadHalf(kPowersLow.data()));
  const __m256i high = _mm256_broadcastsi128_si256(LoadHalf(kPowersHigh.data()));
  const __m256i only_low = _mm256_set1_epi16(INT16_MIN);  // VPSHUFB's mark of a zero, in the high byte
  for (int j = 0; j < s.count; j += kPanel) {
    const __m256i g = _mm256_subs_epu16(_mm256_adds_epu16(Load(s.prob + j), plus), minus);
    const __m256i sixteenths = _mm256_srli_epi16(g, 7);
    const __m256i r = _mm256_and_si256(sixteenths, fraction);
    const __m256i mantissa = _mm256_or_si256(_mm256_shuffle_epi8(low, _mm256_or_si256(r, only_low)),
                                             _mm256_slli_epi16(_mm256_shuffle_epi8(high, r), 8));
    // Codes above the last are the zero symbol: all ones is an index that VPSHUFB answers with zero.
    const __m256i power = PowerOfShift(g, _mm256_cmpgt_epi16(sixteenths, last));
    Store(s.prob + j, _mm256_abs_epi16(_mm256_mulhrs_epi16(mantissa, power)));
  }
}

template <bool kDistances>
uint32_t Exponentials(const SoftmaxRow& s, int32_t maximum) {
  return s.shift < 0 ? Exponentials<true, kDistances>(s, maximum) : Exponentials<false, kDistances>(s, maximum);
}

void Avx2SoftmaxRow(SoftmaxRow& s) {
  const int32_t maximum = FinishLogits(s);
  const bool agq = s.code.variant == SoftmaxVariant::kAgq;
  const uint32_t sum = agq ? Exponentials<true>(s, maximum) : Exponentials<false>(s, maximum);
  if (agq) AgqLevels(s, sum);
  if (s.code.variant == SoftmaxVariant::kU8) UniformCodes(s, sum);
  s.sum = static_cast<int32_t>(sum);
}

}  // namespace

void FillSoftmaxAvx2(Kernels& k) { k.softmax_row = Avx2SoftmaxRow; }

}  // namespace intsam::internal
