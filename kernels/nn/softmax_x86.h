// Softmax of a row on 16-bit lanes (docs/numerics.md, sections 6.2 and 6.3) as templates over the vectors of a tier
// (Ymm of isa/avx2.h, Zmm of isa/avx512.h): one sweep for the exponentials and their sum, and for U8 and AGQ a second
// one for the codes; and of few keys in several heads, all of them side by side.
#ifndef INTSAM_KERNELS_NN_SOFTMAX_X86_H_
#define INTSAM_KERNELS_NN_SOFTMAX_X86_H_

#include <algorithm>

#include "kernels/isa/avx2.h"
#include "kernels/isa/loops.h"
#include "kernels/nn/softmax_heads.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal::x86 {

// Keys that go through the first sweep at once.
template <class Isa>
inline constexpr int kKeysAtOnce = Isa::kSoftmaxVectors * Isa::kWords;

// Whether rows of keys are whole steps of the first sweep and share what is added along x, as a whole image's do. Then
// positions are added wherever logits are read, which is cheaper than writing the sums back.
template <class Isa>
bool AddsOnTheFly(const SoftmaxRow& s) {
  return s.rh != nullptr && s.rw_stride == 0 && s.side_w % kKeysAtOnce<Isa> == 0;
}

// The maximum of the sums that nobody writes.
template <class Isa>
int32_t LargestSum(const SoftmaxRow& s) {
  constexpr int kVectors = 4;
  static_assert(kKeysAtOnce<Isa> % (kVectors * Isa::kLanes) == 0);
  typename Isa::Vector maximum = Isa::Set32(INT32_MIN), rw[kVectors];
  for (int kx = 0; kx < s.side_w; kx += kVectors * Isa::kLanes) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) rw[v] = Isa::Load(s.rw + kx + v * Isa::kLanes);
    const int32_t* logits = s.logits + kx;
    for (int ky = 0; ky < s.side_h; ++ky, logits += s.side_w) {
      typename Isa::Vector most = Isa::Add32(Isa::Load(logits), rw[0]);
#pragma GCC unroll 4
      for (int v = 1; v < kVectors; ++v)
        most = Isa::Max32(most, Isa::Add32(Isa::Load(logits + v * Isa::kLanes), rw[v]));
      maximum = Isa::Max32(maximum, Isa::Add32(most, Isa::Set32(s.rh[ky])));
    }
  }
  return Isa::Largest32(maximum);
}

// Adds the relative positions, if any, to the logits; the maximum of the row.
template <class Isa>
int32_t FinishLogits(const SoftmaxRow& s) {
  using Vector = typename Isa::Vector;
  const Vector least = Isa::Set32(INT32_MIN);
  Vector maximum = least;
  if (s.rh == nullptr) {
    ForEachVector<Isa::kLanes>(s.count, [&](int j, int count) {
      maximum = Isa::Max32(maximum, Isa::LoadFirst32(s.logits + j, count, least));
    });
    return Isa::Largest32(maximum);
  }
  int32_t* logits = s.logits;
  // A masked store stalls loads of the lanes that it leaves out: then what follows it is read before it.
  Vector next = Isa::Load(logits);
  const int32_t* rw = s.rw;
  for (int ky = 0; ky < s.side_h; ++ky, logits += s.side_w, rw += s.rw_stride) {
    const Vector rh = Isa::Set32(s.rh[ky]);
    ForEachVector<Isa::kLanes>(s.side_w, [&](int kx, int count) {
      const Vector x = Isa::kMaskedStores ? next : Isa::Load(logits + kx);
      const Vector v = Isa::Add32(x, Isa::Add32(rh, Isa::Load(rw + kx)));
      if constexpr (Isa::kMaskedStores) next = Isa::Load(logits + kx + count);
      Isa::StoreFirst(logits + kx, v, count);
      maximum = Isa::Max32(maximum, Isa::First32(v, count, least));
    });
  }
  return Isa::Largest32(maximum);
}

// RSH(h, i) = |MRS(h, 2^(15-i))| for h in 0..2^15-1, where 2^15 reads as -2^15: that factor, for i = t >> 11. The bit
// of 2^(15-i) is in the high byte for i < 8 and in the low byte otherwise, so one table serves both bytes. The high
// index is 0x70 + i, whose top bit, VPSHUFB's mark of a zero, is set from i = 16 on; the low one is 0x68 + i, which
// meets the zeros of the table before that.
template <class Isa>
typename Isa::Vector PowerOfShift(typename Isa::Vector t) {
  const auto powers = Isa::BroadcastQuarter(_mm_setr_epi8(-128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  // (i << 11) * 0x2020 >> 16 puts i into both bytes.
  const auto i = Isa::And(t, Isa::Set16(-2048));
  return Isa::LookUp8(powers, Isa::Add16(Isa::MulHighU16(i, Isa::Set16(0x2020)), Isa::Set16(0x7068)));
}

// Rows of probabilities end at a multiple of 16.
template <class Isa>
void StorePadded(uint16_t* prob, typename Isa::Vector v, int count) {
  Isa::StoreFirst(prob, v, RoundUp(count, kPanel));
}

// The constants of one row's softmax. kUp: p < 0, where distances are shifted left.
template <class Isa, bool kUp>
class RowSoftmax {
 public:
  using Vector = typename Isa::Vector;

  // maximum: of each lane's row.
  RowSoftmax(int shift, uint16_t mult, Vector maximum)
      : maximum_(maximum), shift_(_mm_cvtsi32_si128(kUp ? -shift : shift)), mult_(Isa::Set16(mult)) {
    const int widest = kUp ? 65535 >> -shift : 65535;
    widest_ = Isa::Set32(widest);
    top_ = Isa::Set16(kUp ? widest << -shift : widest);
    // A logit of max + 1 (wrapping) is at distance 2^32 - 1, farther than any p in range can bring back: t = 65535 and
    // e = 0, which every variant decodes to zero.
    far_ = Isa::Add32(maximum, Isa::Set32(1));
  }

  // The maximum minus the first `count` of kLanes logits.
  Vector Below(const int32_t* logits, int count) const {
    return Isa::Sub32(maximum_, Isa::LoadFirst32(logits, count, far_));
  }

  // e of kVectors vectors of logits, added to partial sums; keeps e, or t with kDistances. below(i) is the maximum
  // minus kLanes of them, from the i-th on. The vectors go through each step side by side: the chain of one is long,
  // and a core looks ahead too little to overlap it with the next on its own. `count` logits exist.
  template <bool kDistances, int kVectors, class Below>
  Vector Exponentials(const Below& below, uint16_t* prob, int count, Vector sums) const {
    const auto add = [](Vector h, int c) { return Isa::Add16(h, Isa::Set16(c)); };
    Vector t[kVectors], f[kVectors], h[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int first = Isa::kWords * v, second = first + Isa::kLanes;
      const Vector packed = Isa::PackU32(Distance(below(first)), Distance(below(second)));
      const Vector d = kUp ? Isa::ShiftLeft16(packed, shift_) : packed;
      t[v] = Isa::OnesWhereEqual16(Isa::MulHighU16(d, mult_), d, top_);
      f[v] = Isa::template ShiftLeft16<4>(Isa::And(t[v], Isa::Set16(2047)));
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(Isa::MulRoundHigh16(Isa::Set16(-1296), f[v]), 7566);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(Isa::MulRoundHigh16(h[v], f[v]), -22654);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) h[v] = add(Isa::MulRoundHigh16(h[v], f[v]), 32767);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Vector e = Isa::Abs16(Isa::MulRoundHigh16(h[v], PowerOfShift<Isa>(t[v])));
      sums = Isa::DotWords(sums, e, Isa::Set16(1));
      StorePadded<Isa>(prob + Isa::kWords * v, Isa::MemoryOrder(kDistances ? t[v] : e), count - Isa::kWords * v);
    }
    return sums;
  }

 private:
  // min(u >> p, 65535), or min(u, 65535 >> -p): the unsigned minimum comes first, because VPACKUSDW reads s32.
  Vector Distance(Vector u) const { return Isa::MinU32(kUp ? u : Isa::ShiftRightU32(u, shift_), widest_); }

  Vector maximum_;
  __m128i shift_;
  Vector widest_, top_, mult_, far_;
};

// The first sweep: e (or t) of every key, and the sum of e.
template <class Isa, bool kUp, bool kDistances>
uint32_t Exponentials(const SoftmaxRow& s, int32_t maximum) {
  constexpr int kVectors = Isa::kSoftmaxVectors, kKeys = kKeysAtOnce<Isa>;
  const RowSoftmax<Isa, kUp> row(s.shift, s.mult, Isa::Set32(maximum));
  auto sums = Isa::Zero();
  if (AddsOnTheFly<Isa>(s)) {
    const int32_t* logits = s.logits;
    uint16_t* prob = s.prob;
    for (int ky = 0; ky < s.side_h; ++ky) {
      // Sums modulo 2^32: the difference is what it would be without.
      const auto top = Isa::Sub32(Isa::Set32(maximum), Isa::Set32(s.rh[ky]));
      for (int kx = 0; kx < s.side_w; kx += kKeys, logits += kKeys, prob += kKeys) {
        const int32_t* const rw = s.rw + kx;
        const auto below = [&](int i) { return Isa::Sub32(top, Isa::Add32(Isa::Load(logits + i), Isa::Load(rw + i))); };
        sums = row.template Exponentials<kDistances, kVectors>(below, prob, kKeys, sums);
      }
    }
    return Isa::Sum32(sums);
  }
  int j = 0, count = s.count;  // the next key, and how many are left
  const auto below = [&](int i) { return row.Below(s.logits + j + i, count - i); };
  for (; count >= kKeys; j += kKeys, count -= kKeys) {
    sums = row.template Exponentials<kDistances, kVectors>(below, s.prob + j, kKeys, sums);
  }
  for (; count >= Isa::kWords; j += Isa::kWords, count -= Isa::kWords) {
    sums = row.template Exponentials<kDistances, 1>(below, s.prob + j, Isa::kWords, sums);
  }
  if (count > 0) sums = row.template Exponentials<kDistances, 1>(below, s.prob + j, count, sums);
  return Isa::Sum32(sums);
}

// The second sweep of U8: e to codes, in place.
template <class Isa>
void UniformCodes(const SoftmaxRow& s, uint32_t sum) {
  using Vector = typename Isa::Vector;
  const UniformRow row = UniformRowOf(sum, s.code.step_mult, s.code.step_shift);
  const Vector reciprocal = Isa::Set16(row.reciprocal), widest = Isa::Set16(255);
  const Vector most = Isa::Set16((1 << s.code.bits) - 1);
  const __m128i down = _mm_cvtsi32_si128(row.shift - 1), up = _mm_cvtsi32_si128(std::min(-row.shift, 8));
  ForEachVector<Isa::kWords>(s.count, [&](int j, int count) {
    const Vector e = Isa::Load(s.prob + j), y = Isa::MulHighU16(Isa::Add16(e, e), reciprocal);
    // VPAVGW adds the last of the half's bits without the carry that adding all of it could lose.
    const Vector code = row.shift > 0 ? Isa::AverageU16(Isa::ShiftRightU16(y, down), Isa::Zero())
                                      : Isa::ShiftLeft16(Isa::MinU16(y, widest), up);
    StorePadded<Isa>(s.prob + j, Isa::MinU16(code, most), count);
  });
}

// The second sweep of AGQ: t to decoded levels, in place.
template <class Isa>
void AgqLevels(const SoftmaxRow& s, uint32_t sum) {
  using Vector = typename Isa::Vector;
  const int kt = s.code.tau_shift;
  // g = t + row with the half of the rounding, saturated to u16. Below zero every code is zero; from 2^15 on every
  // level is (sixteen octaves).
  const int row = AgqRowTerm(sum, s.code.log2_scale) + (1 << (10 - kt));
  const Vector plus = Isa::Set16(std::max(row, 0)), minus = Isa::Set16(std::max(-row, 0));
  // Codes are counted in sixteenths of an octave: floored by the mask to the granularity, they index LUT_16.
  const Vector fraction = Isa::Set16(16 - (16 >> kt)), last = Isa::Set16((16 << s.code.bits >> kt) - 1);
  static constexpr auto kTable = Isa::MakeTable16([](int i) { return kPowers16[i]; });
  const auto powers16 = Isa::LoadTable16(kTable);
  ForEachVector<Isa::kWords>(s.count, [&](int j, int count) {
    const Vector g = Isa::SubSaturatedU16(Isa::AddSaturatedU16(Isa::Load(s.prob + j), plus), minus);
    const Vector sixteenths = Isa::template ShiftRightU16<7>(g);
    const Vector mantissa = Isa::LookUp16(powers16, Isa::MakeIndex16(Isa::And(sixteenths, fraction)));
    const Vector level = Isa::Abs16(Isa::MulRoundHigh16(mantissa, PowerOfShift<Isa>(g)));
    // Codes above the last are the zero symbol.
    StorePadded<Isa>(s.prob + j, Isa::ZeroWhereGreater16(level, sixteenths, last), count);
  });
}

template <class Isa, bool kDistances>
uint32_t Exponentials(const SoftmaxRow& s, int32_t maximum) {
  return s.shift < 0 ? Exponentials<Isa, true, kDistances>(s, maximum)
                     : Exponentials<Isa, false, kDistances>(s, maximum);
}

template <class Isa>
void Softmax(SoftmaxRow& s) {
  const int32_t maximum = AddsOnTheFly<Isa>(s) ? LargestSum<Isa>(s) : FinishLogits<Isa>(s);
  const bool agq = s.code.variant == SoftmaxVariant::kAgq;
  const uint32_t sum = agq ? Exponentials<Isa, true>(s, maximum) : Exponentials<Isa, false>(s, maximum);
  if (agq) AgqLevels<Isa>(s, sum);
  if (s.code.variant == SoftmaxVariant::kU8) UniformCodes<Isa>(s, sum);
  s.sum = static_cast<int32_t>(sum);
}

// ---------------------------------------------------------------- few keys in eight heads (docs/numerics.md 6.6)

constexpr int kHeads = 8, kMostKeys = 512;

template <class Isa, bool kUp>
void EightHeads(const SoftmaxHeads& s) {
  constexpr int kStep = kKeysAtOnce<Isa>;
  alignas(64) uint16_t e[kHeads * kMostKeys];  // [keys][kHeads], rounded up to whole steps
  static_assert(kHeads * kMostKeys % kStep == 0);
  const int columns = kHeads * s.keys;
  const auto exponentials = [&](int t) {
    return _mm256_cvtepu16_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(e + kHeads * t)));
  };
  for (int i = 0; i < s.rows; ++i) {
    const int32_t* logits = s.logits + static_cast<size_t>(i) * s.logits_stride;
    int16_t* prob = s.prob + static_cast<size_t>(i) * s.prob_stride;
    __m256i maximum = avx2::Load(logits);
    for (int t = 1; t < s.keys; ++t) maximum = _mm256_max_epi32(maximum, avx2::Load(logits + kHeads * t));
    const RowSoftmax<Isa, kUp> row(s.shift, s.mult, Isa::RepeatEight(maximum));
    for (int j = 0; j < columns; j += kStep) {
      const auto below = [&](int c) { return row.Below(logits + j + c, columns - j - c); };
      row.template Exponentials<false, Isa::kSoftmaxVectors>(below, e + j, kStep, Isa::Zero());
    }
    __m256i sum = exponentials(0);
    for (int t = 1; t < s.keys; ++t) sum = _mm256_add_epi32(sum, exponentials(t));
    alignas(32) uint32_t sums[kHeads], reciprocals[kHeads], shifts[kHeads];
    avx2::Store(sums, sum);
    for (int h = 0; h < kHeads; ++h) {
      const TokenDivisor divisor = TokenDivisorOf(sums[h]);
      reciprocals[h] = divisor.reciprocal;
      shifts[h] = static_cast<uint32_t>(divisor.shift);
    }
    const __m256i reciprocal = avx2::Load(reciprocals), shift = avx2::Load(shifts), one = _mm256_set1_epi32(1);
    const __m256i half = _mm256_srli_epi32(_mm256_sllv_epi32(one, shift), 1), most = _mm256_set1_epi32(32767);
    for (int t = 0; t < s.keys; ++t) {
      const __m256i product = _mm256_mullo_epi32(exponentials(t), reciprocal);
      const __m256i p = _mm256_min_epu32(_mm256_srlv_epi32(_mm256_add_epi32(product, half), shift), most);
      avx2::StoreHalf(prob + kHeads * t, _mm_packs_epi32(_mm256_castsi256_si128(p), _mm256_extracti128_si256(p, 1)));
    }
  }
}

template <class Isa>
void SoftmaxOfHeads(const SoftmaxHeads& s) {
  if (s.heads != kHeads) return internal::SoftmaxOfHeads(s);
  s.shift < 0 ? EightHeads<Isa, true>(s) : EightHeads<Isa, false>(s);
}

}  // namespace intsam::internal::x86

#endif  // INTSAM_KERNELS_NN_SOFTMAX_X86_H_
