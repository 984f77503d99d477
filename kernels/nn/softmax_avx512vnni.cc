// AVX-512 softmax of a row on 16-bit lanes (docs/numerics.md, sections 6.2 and 6.3): the steps of softmax_avx2.cc on 32
// keys at a time, with masks in place of scratch for what is left of a row.
#include <algorithm>
#include <array>

#include "kernels/isa/avx512.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx512;

constexpr int kKeys = 32;  // of a vector of 16-bit lanes

// Adds the relative positions, if any, to the logits; the maximum of the row.
int32_t FinishLogits(const SoftmaxRow& s) {
  __m512i maximum = _mm512_set1_epi32(INT32_MIN);
  const auto grow = [&](__m512i v, int count) {
    maximum = _mm512_mask_max_epi32(maximum, FirstLanes<__mmask16>(count), maximum, v);
  };
  if (s.rh == nullptr) {
    for (int j = 0; j < s.count; j += 16) grow(Load(s.logits + j), s.count - j);
    return _mm512_reduce_max_epi32(maximum);
  }
  int32_t* logits = s.logits;
  // A masked store stalls loads of the lanes that it leaves out, so the next row is read before the last store of one.
  __m512i next = Load(logits);
  for (int ky = 0; ky < s.side_h; ++ky, logits += s.side_w) {
    const __m512i rh = _mm512_set1_epi32(s.rh[ky]);
    for (int kx = 0; kx < s.side_w; kx += 16) {
      const __m512i v = _mm512_add_epi32(next, _mm512_add_epi32(rh, Load(s.rw + kx)));
      const int left = s.side_w - kx;
      next = Load(logits + kx + std::min(left, 16));
      StoreFirst(logits + kx, v, left);
      grow(v, left);
    }
  }
  return _mm512_reduce_max_epi32(maximum);
}

// RSH(h, i) = |MRS(h, 2^(15-i))|, i = t >> 11: see softmax_avx2.cc.
__m512i PowerOfShift(__m512i t) {
  const __m512i powers = _mm512_broadcast_i32x4(_mm_setr_epi8(-128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m512i i = _mm512_and_si512(t, _mm512_set1_epi16(int16_t{-2048}));
  const __m512i index = _mm512_add_epi16(_mm512_mulhi_epu16(i, _mm512_set1_epi16(0x2020)), _mm512_set1_epi16(0x7068));
  return _mm512_shuffle_epi8(powers, index);
}

// The constants of one row's softmax. kUp: p < 0, where distances are shifted left.
template <bool kUp>
class RowSoftmax {
 public:
  RowSoftmax(const SoftmaxRow& s, int32_t maximum)
      : maximum_(_mm512_set1_epi32(maximum)),
        shift_(_mm_cvtsi32_si128(kUp ? -s.shift : s.shift)),
        mult_(_mm512_set1_epi16(static_cast<int16_t>(s.mult))) {
    const int widest = kUp ? 65535 >> -s.shift : 65535;
    widest_ = _mm512_set1_epi32(widest);
    top_ = _mm512_set1_epi16(static_cast<int16_t>(kUp ? widest << -s.shift : widest));
    // A logit of max + 1 (wrapping) is at distance 2^32 - 1, farther than any p in range can bring back: t = 65535 and
    // e = 0, which every variant decodes to zero.
    far_ = _mm512_set1_epi32(static_cast<int32_t>(static_cast<uint32_t>(maximum) + 1));
  }

  // e of kVectors * 32 logits, added to sixteen partial sums; keeps e, or t with kDistances. The vectors go through
  // each step side by side, because the chain of one is long. `count` logits exist.
  template <bool kDistances, int kVectors>
  __m512i Exponentials(const int32_t* logits, uint16_t* prob, int count, __m512i sums) const {
    const auto add = [](__m512i h, int c) { return _mm512_add_epi16(h, _mm512_set1_epi16(static_cast<int16_t>(c))); };
    __m512i t[kVectors], f[kVectors], h[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int first = kKeys * v;
      const __m512i packed = _mm512_packus_epi32(Distance(logits + first, count - first),
                                                 Distance(logits + first + 16, count - first - 16));
      const __m512i d = kUp ? _mm512_sll_epi16(packed, shift_) : packed;
      t[v] =
          _mm512_mask_mov_epi16(_mm512_mulhi_epu16(d, mult_), _mm512_cmpeq_epi16_mask(d, top_), _mm512_set1_epi16(-1));
      f[v] = _mm512_slli_epi16(_mm512_and_si512(t[v], _mm512_set1_epi16(2047)), 4);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(_mm512_mulhrs_epi16(_mm512_set1_epi16(-1296), f[v]), 7566);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(_mm512_mulhrs_epi16(h[v], f[v]), -22654);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(_mm512_mulhrs_epi16(h[v], f[v]), 32767);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512i e = _mm512_abs_epi16(_mm512_mulhrs_epi16(h[v], PowerOfShift(t[v])));
      sums = _mm512_dpwssd_epi32(sums, e, _mm512_set1_epi16(1));
      StorePadded(prob + kKeys * v, MemoryOrder(kDistances ? t[v] : e), count - kKeys * v);
    }
    return sums;
  }

  // Rows of probabilities end at a multiple of 16.
  static void StorePadded(uint16_t* prob, __m512i v, int count) {
    StoreFirst(reinterpret_cast<int16_t*>(prob), v, RoundUp(count, kPanel));
  }

 private:
  // min(u >> p, 65535), or min(u, 65535 >> -p): the unsigned minimum comes first, because VPACKUSDW reads s32.
  __m512i Distance(const int32_t* logits, int count) const {
    const __m512i v =
        count >= 16 ? Load(logits) : _mm512_mask_loadu_epi32(far_, FirstLanes<__mmask16>(std::max(count, 0)), logits);
    const __m512i u = _mm512_sub_epi32(maximum_, v);
    return _mm512_min_epu32(kUp ? u : _mm512_srl_epi32(u, shift_), widest_);
  }

  __m512i maximum_;
  __m128i shift_;
  __m512i widest_, top_, mult_, far_;
};

// The first sweep: e (or t) of every key, and the sum of e.
template <bool kUp, bool kDistances>
uint32_t Exponentials(const SoftmaxRow& s, int32_t maximum) {
  const RowSoftmax<kUp> row(s, maximum);
  __m512i sums = _mm512_setzero_si512();
  int j = 0;
  for (; j + 2 * kKeys <= s.count; j += 2 * kKeys) {
    sums = row.template Exponentials<kDistances, 2>(s.logits + j, s.prob + j, 2 * kKeys, sums);
  }
  for (; j < s.count; j += kKeys) {
    sums = row.template Exponentials<kDistances, 1>(s.logits + j, s.prob + j, s.count - j, sums);
  }
  return static_cast<uint32_t>(_mm512_reduce_add_epi32(sums));
}

// The second sweep of U8: e to codes, in place.
void UniformCodes(const SoftmaxRow& s, uint32_t sum) {
  const UniformRow row = UniformRowOf(sum, s.code.step_mult, s.code.step_shift);
  const __m512i reciprocal = _mm512_set1_epi16(static_cast<int16_t>(row.reciprocal));
  const __m512i widest = _mm512_set1_epi16(255), most = _mm512_set1_epi16(static_cast<int16_t>((1 << s.code.bits) - 1));
  const __m128i down = _mm_cvtsi32_si128(row.shift - 1), up = _mm_cvtsi32_si128(std::min(-row.shift, 8));
  for (int j = 0; j < s.count; j += kKeys) {
    const __m512i e = Load(s.prob + j);
    const __m512i y = _mm512_mulhi_epu16(_mm512_add_epi16(e, e), reciprocal);
    // VPAVGW adds the last of the half's bits without the carry that adding all of it could lose.
    const __m512i code = row.shift > 0 ? _mm512_avg_epu16(_mm512_srl_epi16(y, down), _mm512_setzero_si512())
                                       : _mm512_sll_epi16(_mm512_min_epu16(y, widest), up);
    RowSoftmax<false>::StorePadded(s.prob + j, _mm512_min_epu16(code, most), s.count - j);
  }
}

// LUT_16 twice: 32 words for VPERMW.
constexpr std::array<uint16_t, 32> TwicePowers16() {
  std::array<uint16_t, 32> powers{};
  for (size_t i = 0; i < powers.size(); ++i) powers[i] = kPowers16[i % 16];
  return powers;
}
constexpr std::array<uint16_t, 32> kTwicePowers16 = TwicePowers16();

// The second sweep of AGQ: t to decoded levels, in place. See softmax_avx2.cc.
void AgqLevels(const SoftmaxRow& s, uint32_t sum) {
  const int kt = s.code.tau_shift;
  const int row = AgqRowTerm(sum, s.code.log2_scale) + (1 << (10 - kt));
  const __m512i plus = _mm512_set1_epi16(static_cast<int16_t>(std::max(row, 0)));
  const __m512i minus = _mm512_set1_epi16(static_cast<int16_t>(std::max(-row, 0)));
  const __m512i fraction = _mm512_set1_epi16(static_cast<int16_t>(16 - (16 >> kt)));
  const __m512i last = _mm512_set1_epi16(static_cast<int16_t>((16 << s.code.bits >> kt) - 1));
  const __m512i powers16 = Load(kTwicePowers16.data());
  for (int j = 0; j < s.count; j += kKeys) {
    const __m512i g = _mm512_subs_epu16(_mm512_adds_epu16(Load(s.prob + j), plus), minus);
    const __m512i sixteenths = _mm512_srli_epi16(g, 7);
    const __m512i mantissa = _mm512_permutexvar_epi16(_mm512_and_si512(sixteenths, fraction), powers16);
    const __m512i level = _mm512_abs_epi16(_mm512_mulhrs_epi16(mantissa, PowerOfShift(g)));
    // Codes above the last are the zero symbol.
    const __mmask32 zero = _mm512_cmpgt_epi16_mask(sixteenths, last);
    RowSoftmax<false>::StorePadded(s.prob + j, _mm512_mask_mov_epi16(level, zero, _mm512_setzero_si512()), s.count - j);
  }
}

template <bool kDistances>
uint32_t Exponentials(const SoftmaxRow& s, int32_t maximum) {
  return s.shift < 0 ? Exponentials<true, kDistances>(s, maximum) : Exponentials<false, kDistances>(s, maximum);
}

void Avx512SoftmaxRow(SoftmaxRow& s) {
  const int32_t maximum = FinishLogits(s);
  const bool agq = s.code.variant == SoftmaxVariant::kAgq;
  const uint32_t sum = agq ? Exponentials<true>(s, maximum) : Exponentials<false>(s, maximum);
  if (agq) AgqLevels(s, sum);
  if (s.code.variant == SoftmaxVariant::kU8) UniformCodes(s, sum);
  s.sum = static_cast<int32_t>(sum);
}

}  // namespace

void FillSoftmaxAvx512vnni(Kernels& k) { k.softmax_row = Avx512SoftmaxRow; }

}  // namespace intsam::internal
