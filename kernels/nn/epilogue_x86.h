// Requantisation of accumulator strips, quantisation of streams to codes and GELU, on 16-bit lanes where the definition
// has them, as templates over the vectors of a tier (Ymm of isa/avx2.h, Zmm of isa/avx512.h). Every step is the
// instruction docs/numerics.md (sections 2 and 5) names for it, so the integers equal the scalar tier's.
//
// Strips are walked in blocks of channels, whose constants are spread to lanes once, then used by all rows. The second
// half of a vector's worth of s32 may start past the padding of a short row, so it is read only where elements exist.
#ifndef INTSAM_KERNELS_NN_EPILOGUE_X86_H_
#define INTSAM_KERNELS_NN_EPILOGUE_X86_H_

#include <algorithm>

#include "kernels/isa/loops.h"
#include "kernels/numerics/gelu.h"
#include "kernels/numerics/requantize.h"
#include "kernels/tiers.h"

namespace intsam::internal::x86 {

// ---------------------------------------------------------------- 16-bit lanes

// RQ16W of kWords channels, result in the order of a pack.
template <class Isa>
struct Rq16Lanes {
  typename Isa::Vector half_low, half_high;    // 2^(p-1)
  typename Isa::Vector shift_low, shift_high;  // p
  typename Isa::Vector mult;
};

template <class Isa>
Rq16Lanes<Isa> MakeRq16Lanes(const int16_t* mult, const uint8_t* shift) {
  using Vector = typename Isa::Vector;
  const auto half = [](Vector p) { return Isa::template ShiftRightU32<1>(Isa::ShiftLeftEach32(Isa::Set32(1), p)); };
  const Vector low = Isa::LoadU8As32(shift), high = Isa::LoadU8As32(shift + Isa::kLanes);
  return {half(low), half(high), low, high, Isa::PackOrder(Isa::Load(mult))};
}

// `count` channels exist.
template <class Isa>
typename Isa::Vector Apply16(const Rq16Lanes<Isa>& r, const int32_t* acc, int count, __m128i up) {
  using Vector = typename Isa::Vector;
  const Vector first = Isa::Load(acc), second = count > Isa::kLanes ? Isa::Load(acc + Isa::kLanes) : first;
  const auto shifted = [&](Vector v, Vector half, Vector shift) {
    return Isa::ShiftRightEach32(Isa::Add32(Isa::ShiftLeft32(v, up), half), shift);
  };
  return Isa::MulRoundHigh16(
      Isa::Pack32(shifted(first, r.half_low, r.shift_low), shifted(second, r.half_high, r.shift_high)), r.mult);
}

// From units of 2^-k code to codes.
template <class Isa>
class CodeEnd {
 public:
  template <typename Strip>
  explicit CodeEnd(const Strip& s)
      : zero_(Isa::Set16((s.zero << s.k) + (s.k == 0 ? 0 : 1 << (s.k - 1)))),
        shift_(_mm_cvtsi32_si128(s.k)),
        range_(Isa::MakeCodeRange(s.lo, s.hi, s.flip)) {}

  // Of y in the order of a pack.
  typename Isa::Half operator()(typename Isa::Vector y) const {
    return CodesOfPack(Isa::ShiftRight16(Isa::AddSaturated16(y, zero_), shift_), range_);
  }

 private:
  typename Isa::Vector zero_;  // (z << k) plus the rounding half
  __m128i shift_;
  typename Isa::CodeRange range_;
};

// GELU of kWords lanes.
template <class Isa>
class Gelu {
  template <int kPower>
  static constexpr auto kCoefficients = Isa::MakeTable16([](int i) { return kGeluTable[i][kPower]; });

 public:
  using Vector = typename Isa::Vector;

  explicit Gelu(int unit_bits)
      : inside_(Isa::Set16((4 << unit_bits) - 1)),
        in_segment_(Isa::Set16((1 << (unit_bits - 2)) - 1)),
        segment_shift_(_mm_cvtsi32_si128(unit_bits - 2)),
        argument_shift_(_mm_cvtsi32_si128(17 - unit_bits)),
        half_(Isa::Set16(1 << (15 - unit_bits))),
        result_shift_(_mm_cvtsi32_si128(16 - unit_bits)) {
    coefficients_[0] = Isa::LoadTable16(kCoefficients<0>);
    coefficients_[1] = Isa::LoadTable16(kCoefficients<1>);
    coefficients_[2] = Isa::LoadTable16(kCoefficients<2>);
  }

  Vector operator()(Vector x) const {
    const Vector a = Isa::Abs16(x);  // -32768 becomes unsigned 32768
    const Vector ai = Isa::MinU16(a, inside_);
    const auto segment = Isa::MakeIndex16(Isa::ShiftRightU16(ai, segment_shift_));
    const Vector u = Isa::ShiftLeft16(Isa::And(ai, in_segment_), argument_shift_);
    Vector h = Isa::MulRoundHigh16(Isa::LookUp16(coefficients_[2], segment), u);
    h = Isa::MulRoundHigh16(Isa::Add16(h, Isa::LookUp16(coefficients_[1], segment)), u);
    h = Isa::Add16(h, Isa::LookUp16(coefficients_[0], segment));
    const Vector g = Isa::Max16(Isa::ShiftRight16(Isa::Add16(h, half_), result_shift_), Isa::Zero());
    return Isa::SubWhereEqual16(Isa::Max16(x, Isa::Zero()), g, a, ai);
  }

 private:
  Vector inside_, in_segment_;
  __m128i segment_shift_, argument_shift_;
  Vector half_;
  __m128i result_shift_;
  typename Isa::Table16 coefficients_[3];
};

// Applies convert(kWords lanes of RQ16W) -> codes to a strip.
template <class Isa, typename Strip, typename Convert>
void NarrowStrip(const Strip& s, Convert convert) {
  constexpr int kVectors = 4, kBlock = kVectors * Isa::kWords;
  Rq16Lanes<Isa> lanes[kVectors];
  const __m128i up = _mm_cvtsi32_si128(s.up);
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < width; j += Isa::kWords) {
      lanes[j / Isa::kWords] = MakeRq16Lanes<Isa>(s.mult + j0 + j, s.shift + j0 + j);
    }
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      uint8_t* out = s.out + static_cast<size_t>(i) * s.out_stride + j0;
      ForEachVector<Isa::kWords>(width, [&](int j, int count) {
        Isa::StoreFirst(out + j, convert(Apply16<Isa>(lanes[j / Isa::kWords], acc + j, count, up)), count);
      });
    }
  }
}

template <class Isa>
void RequantizeToCodes(const RequantizeNarrow& s) {
  const CodeEnd<Isa> codes(s);
  NarrowStrip<Isa>(s, [&](typename Isa::Vector y) { return codes(y); });
}

template <class Isa>
void RequantizeToGeluCodes(const RequantizeGelu& s) {
  const CodeEnd<Isa> codes(s);
  const Gelu<Isa> gelu(s.unit_bits);
  const auto mult = Isa::Set16(s.out_mult);
  NarrowStrip<Isa>(s, [&](typename Isa::Vector y) { return codes(Isa::MulRoundHigh16(gelu(y), mult)); });
}

template <class Isa>
void GeluInPlace(const GeluS16& g) {
  const Gelu<Isa> gelu(g.unit_bits);
  ForEachVector<Isa::kWords>(g.n, [&](size_t i, size_t count) {
    Isa::StoreFirst(g.x + i, gelu(Isa::Load(g.x + i)), static_cast<ptrdiff_t>(count));
  });
}

// ---------------------------------------------------------------- RQ32

// Calls step(RQ32 lanes, row, channel, how many of the kLanes channels exist) over a strip; accumulators are padded.
template <class Isa, typename Strip, typename Step>
void WideStrip(const Strip& s, Step step) {
  constexpr int kVectors = 8, kBlock = kVectors * Isa::kLanes;
  typename Isa::Rq32Lanes lanes[kVectors];
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < width; j += Isa::kLanes) {
      lanes[j / Isa::kLanes] = Isa::MakeRq32Lanes(s.rq.mult + j0 + j, s.rq.shift + j0 + j);
    }
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      ForEachVector<Isa::kLanes>(width, [&](int j, int count) {
        step(Apply(lanes[j / Isa::kLanes], Isa::Load(acc + j)), static_cast<size_t>(i), static_cast<size_t>(j0 + j),
             count);
      });
    }
  }
}

template <class Isa>
void RequantizeToR24(const RequantizeR24& s) {
  using Vector = typename Isa::Vector;
  const Vector lo = Isa::Set32(-kR24Max), hi = Isa::Set32(kR24Max);
  const auto strip = [&](auto base) {
    WideStrip<Isa>(s, [&](Vector y, size_t i, size_t j, int count) {
      const Vector sum = Isa::Add32(base(i, j), Isa::Clamp32(y, lo, hi));
      Isa::StoreFirst(s.out + i * s.out_stride + j, Isa::Clamp32(sum, lo, hi), count);
    });
  };
  if (s.add != nullptr) {
    strip([&](size_t i, size_t j) { return Isa::Load(s.add + i * s.add_stride + j); });
  } else if (s.add16 != nullptr) {
    strip([&](size_t i, size_t j) {
      return Isa::template ShiftLeft32<8>(Isa::LoadS16As32(s.add16 + i * s.add16_stride + j));
    });
  } else {
    strip([](size_t, size_t) { return Isa::Zero(); });
  }
}

template <class Isa>
void RequantizeToS16(const RequantizeS16& s) {
  using Vector = typename Isa::Vector;
  const Vector lo = Isa::Set32(s.lo), hi = Isa::Set32(s.hi);
  const auto strip = [&](auto sum) {
    WideStrip<Isa>(s, [&](Vector y, size_t i, size_t j, int count) {
      Isa::StoreFirst(s.out + i * s.out_stride + j, Isa::Narrow32(Isa::Clamp32(sum(y, i, j), lo, hi)), count);
    });
  };
  if (s.add == nullptr) return strip([](Vector y, size_t, size_t) { return y; });
  // What lies beyond +-2^16 is out of range whatever is added, and so clamped that the sum does not wrap.
  const Vector least = Isa::Set32(-(1 << 16)), most = Isa::Set32(1 << 16);
  strip([&](Vector y, size_t i, size_t j) {
    return Isa::Add32(Isa::Clamp32(y, least, most), Isa::LoadS16As32(s.add + i * s.add_stride + j));
  });
}

// ---------------------------------------------------------------- element-wise

// RQ32 on 16-bit lanes: with mult = mh * 2^16 + ml, |ml| <= 2^15, floor(x * mult / 2^16) = x * mh + (x * ml >> 16), and
// what is left of the shift fits s32. The sum x + y saturates, so a saturated one must be beyond the last code.
static inline bool FitsNarrowLanes(const QuantizeCodes& q) {
  if (q.wide != nullptr || q.shift < 17 || q.shift > 46 || q.mult > INT32_MAX - (1 << 15)) return false;
  return q.y == nullptr || (Requantize32(INT16_MAX, q.mult, q.shift) + q.zero >= q.hi &&
                            Requantize32(INT16_MIN, q.mult, q.shift) + q.zero <= q.lo);
}

template <class Isa>
void QuantizeNarrowLanes(const QuantizeCodes& q) {
  using Vector = typename Isa::Vector;
  const int mh = (q.mult + (1 << 15)) >> 16;
  const Vector high_and_one = Isa::Set32((1 << 16) | mh);  // pairs (x, x * ml >> 16) times (mh, 1)
  const Vector low = Isa::Set16(q.mult - (mh << 16)), half = Isa::Set32(1 << (q.shift - 17));
  const __m128i shift = _mm_cvtsi32_si128(q.shift - 16);
  const Vector zero = Isa::Set16(q.zero);
  const auto range = Isa::MakeCodeRange(q.lo, q.hi, q.flip);
  ForEachVector<Isa::kWords>(q.n, [&](size_t i, size_t count) {
    const Vector x = q.y == nullptr ? Isa::Load(q.x + i) : Isa::AddSaturated16(Isa::Load(q.x + i), Isa::Load(q.y + i));
    const Vector carry = Isa::MulHigh16(x, low);
    const auto finish = [&](Vector pairs) {
      return Isa::ShiftRight32(Isa::Add32(Isa::MulPairs16(pairs, high_and_one), half), shift);
    };
    // Interleaving and packing leave the lanes in order.
    const Vector values = Isa::Pack32(finish(Isa::InterleaveLow16(x, carry)), finish(Isa::InterleaveHigh16(x, carry)));
    Isa::StoreFirst(q.out + i, Isa::CodesOfWords(Isa::AddSaturated16(values, zero), range),
                    static_cast<ptrdiff_t>(count));
  });
}

template <class Isa>
void QuantizeToCodes(const QuantizeCodes& q) {
  using Vector = typename Isa::Vector;
  if (FitsNarrowLanes(q)) return QuantizeNarrowLanes<Isa>(q);
  const auto rq = Isa::MakeRq32Lanes(q.mult, q.shift);
  // Clamping before the zero point joins gives the same code and cannot wrap.
  const Vector lo = Isa::Set32(q.lo - q.zero), hi = Isa::Set32(q.hi - q.zero), zero = Isa::Set32(q.zero);
  const auto range = Isa::MakeCodeRange(q.lo, q.hi, q.flip);
  const auto read = [&](size_t i) {
    if (q.wide != nullptr) return Isa::Load(q.wide + i);
    const Vector x = Isa::LoadS16As32(q.x + i);
    return q.y == nullptr ? x : Isa::Add32(x, Isa::LoadS16As32(q.y + i));
  };
  const auto code = [&](size_t i) { return Isa::Add32(Isa::Clamp32(Apply(rq, read(i)), lo, hi), zero); };
  ForEachVector<Isa::kWords>(q.n, [&](size_t i, size_t count) {
    const Vector first = code(i), second = count > Isa::kLanes ? code(i + Isa::kLanes) : first;
    Isa::StoreFirst(q.out + i, CodesOfPack(Isa::Pack32(first, second), range), static_cast<ptrdiff_t>(count));
  });
}

template <class Isa>
void AddStreams(const AddS16& a) {
  const auto lo = Isa::Set16(-32767);
  ForEachVector<Isa::kWords>(a.n, [&](size_t i, size_t count) {
    const auto sum = Isa::AddSaturated16(Isa::Load(a.x + i), Isa::Load(a.y + i));
    Isa::StoreFirst(a.out + i, Isa::Max16(sum, lo), static_cast<ptrdiff_t>(count));
  });
}

template <class Isa>
void NarrowR24ToS16(const NarrowR24& r) {
  using Vector = typename Isa::Vector;
  const Vector half = Isa::Set32(1 << 7), lo = Isa::Set16(-32767);
  const __m128i shift = _mm_cvtsi32_si128(8);
  const auto value = [&](const int32_t* x) { return Isa::ShiftRight32(Isa::Add32(Isa::Load(x), half), shift); };
  ForEachVector<Isa::kWords>(r.n, [&](size_t i, size_t count) {
    const Vector first = value(r.x + i), second = count > Isa::kLanes ? value(r.x + i + Isa::kLanes) : first;
    const Vector values = Isa::MemoryOrder(Isa::Pack32(first, second));
    Isa::StoreFirst(r.out + i, Isa::Max16(values, lo), static_cast<ptrdiff_t>(count));
  });
}

template <class Isa>
void FillEpilogue(Kernels& k) {
  k.requantize_narrow = RequantizeToCodes<Isa>;
  k.requantize_gelu = RequantizeToGeluCodes<Isa>;
  k.requantize_r24 = RequantizeToR24<Isa>;
  k.requantize_s16 = RequantizeToS16<Isa>;
  k.quantize_codes = QuantizeToCodes<Isa>;
  k.add_s16 = AddStreams<Isa>;
  k.gelu_s16 = GeluInPlace<Isa>;
  k.narrow_r24 = NarrowR24ToS16<Isa>;
}

}  // namespace intsam::internal::x86

#endif  // INTSAM_KERNELS_NN_EPILOGUE_X86_H_
