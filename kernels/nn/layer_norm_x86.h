// LayerNorm of R24 rows (docs/numerics.md, section 4) as templates over the vectors of a tier (Ymm of isa/avx2.h, Zmm
// of isa/avx512.h): exact sums over 64-bit lanes, the row scale from the shared scalar formulas, then 16-bit lanes for
// codes (LN-N).
#ifndef INTSAM_KERNELS_NN_LAYER_NORM_X86_H_
#define INTSAM_KERNELS_NN_LAYER_NORM_X86_H_

#include "kernels/isa/loops.h"
#include "kernels/numerics/layer_norm.h"
#include "kernels/tiers.h"

namespace intsam::internal::x86 {

struct RowStatistics {
  int32_t mean;
  LayerNormScale scale;
};

// One pass: sum (x - mu)^2 = sum x^2 - 2 mu sum x + C mu^2 holds exactly, and every term stays below 2^59. At most 2048
// channels put at most 256 values of magnitude 2^23 - 1 into each s32 lane of the plain sum, which cannot wrap.
template <class Isa>
RowStatistics StatisticsOf(const int32_t* x, int channels, int64_t epsilon, int32_t sqrt_c) {
  using Vector = typename Isa::Vector;
  Vector sums = Isa::Zero(), squares_even = sums, squares_odd = sums;
  ForEachVector<Isa::kLanes>(channels, [&](int c, int count) {
    const Vector v = Isa::LoadFirst32(x + c, count, Isa::Zero());
    const Vector odd = Isa::template ShiftRightU64<32>(v);
    sums = Isa::Add32(sums, v);
    squares_even = Isa::Add64(squares_even, Isa::MulEven32(v, v));
    squares_odd = Isa::Add64(squares_odd, Isa::MulEven32(odd, odd));
  });
  int32_t lanes[Isa::kLanes];
  Isa::Store(lanes, sums);
  int64_t sum = 0;
  for (int32_t lane : lanes) sum += lane;
  const int64_t mean = LayerNormMean(sum, channels);
  const int64_t squares = Isa::Sum64(Isa::Add64(squares_even, squares_odd));
  return {static_cast<int32_t>(mean),
          LayerNormScaleOf(epsilon + squares - 2 * mean * sum + channels * mean * mean, sqrt_c)};
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
  for (int i = 0; i < l.rows; ++i) {
    const int32_t* x = l.x + static_cast<size_t>(i) * l.x_stride;
    uint8_t* out = l.out + static_cast<size_t>(i) * l.out_stride;
    const RowStatistics row = StatisticsOf<Isa>(x, l.channels, l.epsilon, l.sqrt_c);
    const LayerNormScale16 scale = LayerNormScale16Of(row.scale);
    (scale.shift < 0 ? NarrowRow<Isa, true> : NarrowRow<Isa, false>)(l, x, row.mean, scale, range, out);
  }
}

}  // namespace intsam::internal::x86

#endif  // INTSAM_KERNELS_NN_LAYER_NORM_X86_H_
