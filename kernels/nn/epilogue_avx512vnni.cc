// AVX-512 epilogues: the steps of epilogue_avx2.cc (docs/numerics.md, sections 2 and 5) on vectors twice as wide, with
// VPERMW for the table of GELU, 64-bit arithmetic shifts for RQ32 and masks for what is left of a row.
#include <algorithm>
#include <array>

#include "kernels/isa/avx512.h"
#include "kernels/numerics/gelu.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx512;

constexpr int kBlock = 128;  // channels whose constants are spread to lanes once for all rows

// ---------------------------------------------------------------- 16-bit lanes

// RQ16W of 32 channels, result in the order of a pack.
struct Rq16Lanes {
  __m512i half_low, half_high;    // 2^(p-1)
  __m512i shift_low, shift_high;  // p
  __m512i mult;
};

Rq16Lanes MakeRq16Lanes(const int16_t* mult, const uint8_t* shift) {
  const auto half = [](__m512i p) { return _mm512_srli_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), p), 1); };
  const __m512i low = _mm512_cvtepu8_epi32(avx2::LoadHalf(shift));
  const __m512i high = _mm512_cvtepu8_epi32(avx2::LoadHalf(shift + 16));
  return {half(low), half(high), low, high, PackOrder(Load(mult))};
}

// `count` channels exist. The second half may start past the padding of a short row, so it is read only where there
// are.
__m512i Apply16(const Rq16Lanes& r, const int32_t* acc, int count, __m128i up) {
  const __m512i first = Load(acc), second = count > 16 ? Load(acc + 16) : first;
  const __m512i low = _mm512_srav_epi32(_mm512_add_epi32(_mm512_sll_epi32(first, up), r.half_low), r.shift_low);
  const __m512i high = _mm512_srav_epi32(_mm512_add_epi32(_mm512_sll_epi32(second, up), r.half_high), r.shift_high);
  return _mm512_mulhrs_epi16(_mm512_packs_epi32(low, high), r.mult);
}

// From units of 2^-k code to codes.
struct CodeEnd {
  __m512i zero;  // (z << k) plus the rounding half
  __m128i shift;
  CodeRange range;
};

template <typename Strip>
CodeEnd MakeCodeEnd(const Strip& s) {
  const int half = s.k == 0 ? 0 : 1 << (s.k - 1);
  return {_mm512_set1_epi16(static_cast<int16_t>((s.zero << s.k) + half)), _mm_cvtsi32_si128(s.k),
          MakeCodeRange(s.lo, s.hi, s.flip)};
}

__m256i Codes(const CodeEnd& e, __m512i y) {
  return CodesOfPack(_mm512_sra_epi16(_mm512_adds_epi16(y, e.zero), e.shift), e.range);
}

// GELU of 32 lanes.
class Gelu {
 public:
  explicit Gelu(int unit_bits)
      : inside_(_mm512_set1_epi16(static_cast<int16_t>((4 << unit_bits) - 1))),
        in_segment_(_mm512_set1_epi16(static_cast<int16_t>((1 << (unit_bits - 2)) - 1))),
        segment_shift_(_mm_cvtsi32_si128(unit_bits - 2)),
        argument_shift_(_mm_cvtsi32_si128(17 - unit_bits)),
        half_(_mm512_set1_epi16(static_cast<int16_t>(1 << (15 - unit_bits)))),
        result_shift_(_mm_cvtsi32_si128(16 - unit_bits)) {
    for (int c = 0; c < 3; ++c) {
      int16_t segments[32];
      for (int i = 0; i < 32; ++i) segments[i] = kGeluTable[i % 16][c];
      coefficients_[c] = Load(segments);
    }
  }

  __m512i operator()(__m512i x) const {
    const __m512i a = _mm512_abs_epi16(x);  // -32768 becomes unsigned 32768
    const __m512i ai = _mm512_min_epu16(a, inside_);
    const __m512i segment = _mm512_srl_epi16(ai, segment_shift_);
    const __m512i u = _mm512_sll_epi16(_mm512_and_si512(ai, in_segment_), argument_shift_);
    const auto coefficient = [&](int c) { return _mm512_permutexvar_epi16(segment, coefficients_[c]); };
    __m512i h = _mm512_mulhrs_epi16(coefficient(2), u);
    h = _mm512_mulhrs_epi16(_mm512_add_epi16(h, coefficient(1)), u);
    h = _mm512_add_epi16(h, coefficient(0));
    const __m512i zero = _mm512_setzero_si512(), positive = _mm512_max_epi16(x, zero);
    const __m512i g = _mm512_max_epi16(_mm512_sra_epi16(_mm512_add_epi16(h, half_), result_shift_), zero);
    return _mm512_mask_sub_epi16(positive, _mm512_cmpeq_epi16_mask(a, ai), positive, g);
  }

 private:
  __m512i inside_, in_segment_;
  __m128i segment_shift_, argument_shift_;
  __m512i half_;
  __m128i result_shift_;
  __m512i coefficients_[3];
};

// Applies convert(32 lanes of RQ16W) -> codes to a strip.
template <typename Strip, typename Convert>
void NarrowStrip(const Strip& s, Convert convert) {
  Rq16Lanes lanes[kBlock / 32];
  const __m128i up = _mm_cvtsi32_si128(s.up);
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < width; j += 32) lanes[j / 32] = MakeRq16Lanes(s.mult + j0 + j, s.shift + j0 + j);
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      uint8_t* out = s.out + static_cast<size_t>(i) * s.out_stride + j0;
      ForEachVector<32>(width, [&](int j, int count) {
        StoreFirst(out + j, convert(Apply16(lanes[j / 32], acc + j, count, up)), count);
      });
    }
  }
}

void Avx512RequantizeNarrow(const RequantizeNarrow& s) {
  const CodeEnd end = MakeCodeEnd(s);
  NarrowStrip(s, [&](__m512i y) { return Codes(end, y); });
}

void Avx512RequantizeGelu(const RequantizeGelu& s) {
  const CodeEnd end = MakeCodeEnd(s);
  const Gelu gelu(s.unit_bits);
  const __m512i mult = _mm512_set1_epi16(s.out_mult);
  NarrowStrip(s, [&](__m512i y) { return Codes(end, _mm512_mulhrs_epi16(gelu(y), mult)); });
}

void Avx512GeluS16(const GeluS16& g) {
  const Gelu gelu(g.unit_bits);
  ForEachVector<32>(
      g.n, [&](size_t i, size_t count) { StoreFirst(g.x + i, gelu(Load(g.x + i)), static_cast<ptrdiff_t>(count)); });
}

// ---------------------------------------------------------------- RQ32

// Calls step(RQ32 lanes, row, channel, how many of the sixteen channels exist) over a strip; accumulators are padded.
template <typename Strip, typename Step>
void WideStrip(const Strip& s, Step step) {
  Rq32Lanes lanes[kBlock / 16];
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < width; j += 16) lanes[j / 16] = MakeRq32Lanes(s.rq.mult + j0 + j, s.rq.shift + j0 + j);
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      ForEachVector<16>(width, [&](int j, int count) {
        step(Apply(lanes[j / 16], Load(acc + j)), static_cast<size_t>(i), static_cast<size_t>(j0 + j), count);
      });
    }
  }
}

void Avx512RequantizeR24(const RequantizeR24& s) {
  const __m512i lo = _mm512_set1_epi32(-kR24Max), hi = _mm512_set1_epi32(kR24Max);
  const auto strip = [&](auto base) {
    WideStrip(s, [&](__m512i y, size_t i, size_t j, int count) {
      const __m512i sum = _mm512_add_epi32(base(i, j), Clamp32(y, lo, hi));
      StoreFirst(s.out + i * s.out_stride + j, Clamp32(sum, lo, hi), count);
    });
  };
  if (s.add != nullptr) {
    strip([&](size_t i, size_t j) { return Load(s.add + i * s.add_stride + j); });
  } else if (s.add16 != nullptr) {
    strip([&](size_t i, size_t j) {
      return _mm512_slli_epi32(_mm512_cvtepi16_epi32(avx2::Load(s.add16 + i * s.add16_stride + j)), 8);
    });
  } else {
    strip([](size_t, size_t) { return _mm512_setzero_si512(); });
  }
}

void Avx512RequantizeS16(const RequantizeS16& s) {
  const __m512i lo = _mm512_set1_epi32(s.lo), hi = _mm512_set1_epi32(s.hi);
  const auto strip = [&](auto sum) {
    WideStrip(s, [&](__m512i y, size_t i, size_t j, int count) {
      StoreFirst(s.out + i * s.out_stride + j, _mm512_cvtepi32_epi16(Clamp32(sum(y, i, j), lo, hi)), count);
    });
  };
  if (s.add == nullptr) return strip([](__m512i y, size_t, size_t) { return y; });
  // What lies beyond +-2^16 is out of range whatever is added, and so that the sum does not wrap.
  const __m512i least = _mm512_set1_epi32(-(1 << 16)), most = _mm512_set1_epi32(1 << 16);
  strip([&](__m512i y, size_t i, size_t j) {
    const __m512i add = _mm512_cvtepi16_epi32(avx2::Load(s.add + i * s.add_stride + j));
    return _mm512_add_epi32(Clamp32(y, least, most), add);
  });
}

void Avx512QuantizeCodes(const QuantizeCodes& q) {
  const Rq32Lanes rq = MakeRq32Lanes(q.mult, q.shift);
  // Clamping before the zero point joins gives the same code and cannot wrap.
  const __m512i lo = _mm512_set1_epi32(q.lo - q.zero), hi = _mm512_set1_epi32(q.hi - q.zero);
  const __m512i zero = _mm512_set1_epi32(q.zero);
  const CodeRange range = MakeCodeRange(q.lo, q.hi, q.flip);
  const auto read = [&](size_t i) {
    if (q.wide != nullptr) return Load(q.wide + i);
    const __m512i x = _mm512_cvtepi16_epi32(avx2::Load(q.x + i));
    return q.y == nullptr ? x : _mm512_add_epi32(x, _mm512_cvtepi16_epi32(avx2::Load(q.y + i)));
  };
  const auto code = [&](size_t i) { return _mm512_add_epi32(Clamp32(Apply(rq, read(i)), lo, hi), zero); };
  ForEachVector<32>(q.n, [&](size_t i, size_t count) {
    const __m512i first = code(i);
    const __m512i second = count > 16 ? code(i + 16) : first;
    StoreFirst(q.out + i, CodesOfPack(_mm512_packs_epi32(first, second), range), static_cast<ptrdiff_t>(count));
  });
}

void Avx512NarrowR24(const NarrowR24& r) {
  const __m512i half = _mm512_set1_epi32(1 << 7);
  const __m512i lo = _mm512_set1_epi16(-32767);
  const __m128i shift = _mm_cvtsi32_si128(8);
  const auto value = [&](const int32_t* x) { return _mm512_sra_epi32(_mm512_add_epi32(Load(x), half), shift); };
  ForEachVector<32>(r.n, [&](size_t i, size_t count) {
    const __m512i first = value(r.x + i);
    const __m512i second = count > 16 ? value(r.x + i + 16) : first;
    const __m512i values = MemoryOrder(_mm512_packs_epi32(first, second));
    StoreFirst(r.out + i, _mm512_max_epi16(values, lo), static_cast<ptrdiff_t>(count));
  });
}

}  // namespace

void FillEpilogueAvx512vnni(Kernels& k) {
  k.requantize_narrow = Avx512RequantizeNarrow;
  k.requantize_gelu = Avx512RequantizeGelu;
  k.requantize_r24 = Avx512RequantizeR24;
  k.requantize_s16 = Avx512RequantizeS16;
  k.quantize_codes = Avx512QuantizeCodes;
  k.gelu_s16 = Avx512GeluS16;
  k.narrow_r24 = Avx512NarrowR24;
}

}  // namespace intsam::internal
