// LayerNorm of R24 rows (docs/numerics.md, section 4) as templates over the vectors of a tier (Ymm of isa/avx2.h, Zmm
// of isa/avx512.h): exact sums over 64-bit lanes, the row scale from the shared scalar formulas, then 16-bit lanes for
// codes (LN-N), or 64-bit products for s16 (LN-W).
#ifndef INTSAM_KERNELS_NN_LAYER_NORM_X86_H_
#define INTSAM_KERNELS_NN_LAYER_NORM_X86_H_

#include <algorithm>
#include <cstdlib>

#include "kernels/isa/loops.h"
#include "kernels/nn/layer_norm_rows.h"
#include "kernels/tiers.h"

namespace intsam::internal::x86 {

// LN-W of one row by 64-bit lanes throughout, for any constants.
void Avx2WideRow(const LayerNormWide& l, const RowStatistics& row, const int32_t* x, int16_t* out);

// At most 2048 channels put at most 256 values of magnitude 2^23 - 1 into each s32 lane of the plain sum, which cannot
// wrap.
template <class Isa>
RowSums SumsOf(const int32_t* x, int channels) {
  using Vector = typename Isa::Vector;
  Vector sums = Isa::Zero(), squares_even = sums, squares_odd = sums;
  ForEachVector<Isa::kLanes>(channels, [&](int c, int count) {
    const Vector v = Isa::LoadFirst32(x + c, count, Isa::Zero());
    const Vector odd = Isa::template ShiftRightU64<32>(v);
    sums = Isa::Add32(sums, v);
    squares_even = Isa::Add64(squares_even, Isa::MulEven32(v, v));
    squares_odd = Isa::Add64(squares_odd, Isa::MulEven32(odd, odd));
  });
  // s32 lanes as s64: those of odd ones are what is above the even ones.
  const Vector odd_sums = Isa::template ShiftRightU64<32>(sums);
  return {Isa::Sum64(Isa::Add64(Isa::MulEven32(sums, Isa::Set32(1)), Isa::MulEven32(odd_sums, Isa::Set32(1)))),
          Isa::Sum64(Isa::Add64(squares_even, squares_odd))};
}

// LN-N of one row. kLeft: hh < 0, where the deviation is shifted left (a narrow row: |d| << -hh stays below 2^16).
template <class Isa, bool kLeft>
void NarrowRow(const LayerNormNarrow& l, const int32_t* x, int32_t mean, LayerNormScale16 scale,
               const typename Isa::CodeRange& range, uint8_t* out) {
  using Vector = typename Isa::Vector;
  const __m128i shift = _mm_cvtsi32_si128(kLeft ? -scale.shift : scale.shift);
  // RSH(x - mean, hh): the rounding half joins the mean.
  const int32_t half = scale.shift <= 0 ? 0 : 1 << (scale.shift - 1);
  const Vector offset = Isa::Set32(half - mean), reciprocal = Isa::Set16(scale.reciprocal);
  const __m128i end_shift = _mm_cvtsi32_si128(l.k);
  const auto deviation = [&](Vector v) {
    const Vector d = Isa::Add32(v, offset);
    return kLeft ? Isa::ShiftLeft32(d, shift) : Isa::ShiftRight32(d, shift);
  };
  ForEachVector<Isa::kWords>(l.channels, [&](int c, int count) {
    // The second half may start past the padding of a short row, so it is read only where elements exist.
    const auto upper = [&](const int32_t* p) {
      return count > Isa::kLanes ? Isa::Load(p + c + Isa::kLanes) : Isa::Zero();
    };
    const Vector t = Isa::Pack32(deviation(Isa::Load(x + c)), deviation(upper(x)));
    const Vector v = Isa::MulRoundHigh16(t, reciprocal), gain = Isa::PackOrder(Isa::Load(l.gain + c));
    const Vector low = Isa::MulLow16(v, gain), high = Isa::MulHigh16(v, gain);
    // Interleaving the halves of the products also undoes the order of the pack.
    const Vector first = Isa::Add32(Isa::InterleaveLow16(low, high), Isa::Load(l.bias + c));
    const Vector second = Isa::Add32(Isa::InterleaveHigh16(low, high), upper(l.bias));
    const Vector packed = Isa::Pack32(Isa::ShiftRight32(first, end_shift), Isa::ShiftRight32(second, end_shift));
    Isa::StoreFirst(out + c, CodesOfPack(packed, range), count);
  });
}

template <class Isa>
void LayerNormToCodes(const LayerNormNarrow& l) {
  const auto range = Isa::MakeCodeRange(l.lo, l.hi, l.flip);
  ForEachRow(l, SumsOf<Isa>, [&](const RowStatistics& row, const int32_t* x, uint8_t* out) {
    const LayerNormScale16 scale = LayerNormScale16Of(row.scale);
    (scale.shift < 0 ? NarrowRow<Isa, true> : NarrowRow<Isa, false>)(l, x, row.mean, scale, range, out);
  });
}

// Where no sum n * gain + bias leaves s32 after the shift and no shift exceeds 32, the low halves of logically shifted
// values are the results, and 16-bit saturation is the clamp. |n| < 2^22: it is a deviation over sigma, at most
// sqrt(2048), in units of 2^-16.
constexpr int kLowShift = 32;  // the largest shift after which a low half is still whole
constexpr int kMaxChannels = 2048;

inline bool FitsLowHalves(const LayerNormWide& l) {
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
  int64_t bias_even[kMaxChannels / 2 + 8], bias_odd[kMaxChannels / 2 + 8];  // with the rounding half
};

template <class Isa>
void WideRow(const LayerNormWide& l, const RowStatistics& row, const WideConstants& constants, const int32_t* x,
             int16_t* out) {
  using Vector = typename Isa::Vector;
  const int normal_shift = 15 + row.scale.h;
  const Vector mean = Isa::Set32(row.mean), reciprocal = Isa::Set32(row.scale.reciprocal);
  const Vector normal_half = Isa::Set64(int64_t{1} << (normal_shift - 1));
  const __m128i normal = _mm_cvtsi32_si128(normal_shift);
  const __m128i end_even = _mm_cvtsi32_si128(l.shift), end_odd = _mm_cvtsi32_si128(kLowShift - l.shift);
  const auto sum = [&](Vector d, Vector gain, const int64_t* bias) {
    const Vector n = Isa::ShiftRightU64(Isa::Add64(Isa::MulEven32(d, reciprocal), normal_half), normal);
    return Isa::Add64(Isa::MulEven32(n, gain), Isa::Load(bias));
  };
  const auto values = [&](int c) {
    const Vector d = Isa::Sub32(Isa::Load(x + c), mean), gain = Isa::Load(l.gain + c);
    const Vector even = sum(d, gain, constants.bias_even + c / 2);
    const Vector odd =
        sum(Isa::template ShiftRightU64<32>(d), Isa::template ShiftRightU64<32>(gain), constants.bias_odd + c / 2);
    return Isa::Alternate32(Isa::ShiftRightU64(even, end_even), Isa::ShiftLeft64(odd, end_odd));
  };
  ForEachVector<Isa::kWords>(l.channels, [&](int c, int count) {
    const Vector packed = Isa::Pack32(values(c), count > Isa::kLanes ? values(c + Isa::kLanes) : Isa::Zero());
    Isa::StoreFirst(out + c, Isa::MemoryOrder(Isa::Max16(packed, Isa::Set16(-32767))), count);
  });
}

template <class Isa>
void LayerNormToS16(const LayerNormWide& l) {
  const bool fits = FitsLowHalves(l);
  WideConstants constants;
  for (int c = 0; fits && c < l.channels; ++c) {
    int64_t* const bias = c % 2 == 0 ? constants.bias_even : constants.bias_odd;
    bias[c / 2] = l.bias[c] + (int64_t{1} << (l.shift - 1));
  }
  ForEachRow(l, SumsOf<Isa>, [&](const RowStatistics& row, const int32_t* x, int16_t* out) {
    if (fits && 15 + row.scale.h <= kLowShift) {
      WideRow<Isa>(l, row, constants, x, out);
    } else {
      Avx2WideRow(l, row, x, out);
    }
  });
}

}  // namespace intsam::internal::x86

#endif  // INTSAM_KERNELS_NN_LAYER_NORM_X86_H_
