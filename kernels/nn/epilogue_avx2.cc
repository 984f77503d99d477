// AVX2 epilogues: requantisation of accumulator strips, quantisation of streams to codes, GELU on 16-bit lanes. Every
// step is the instruction docs/numerics.md (sections 2 and 5) names for it, so the integers equal the scalar tier's.
//
// Strips are walked in blocks of 64 channels: the constants of a block are spread to lanes once, then used by all rows.
#include <algorithm>

#include "kernels/isa/avx2.h"
#include "kernels/numerics/gelu.h"
#include "kernels/numerics/requantize.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx2;

constexpr int kBlock = 64;

// ---------------------------------------------------------------- 16-bit lanes

// RQ16W of 16 channels, result in VPACKSSDW order.
struct Rq16Lanes {
  __m256i half_low, half_high;    // 2^(p-1)
  __m256i shift_low, shift_high;  // p
  __m256i mult;
};

Rq16Lanes MakeRq16Lanes(const int16_t* mult, const uint8_t* shift) {
  const auto half = [](__m256i p) { return _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), p), 1); };
  const __m128i p = LoadHalf(shift);
  const __m256i low = _mm256_cvtepu8_epi32(p);
  const __m256i high = _mm256_cvtepu8_epi32(_mm_srli_si128(p, 8));
  return {half(low), half(high), low, high, PackOrder(Load(mult))};
}

__m256i Apply16(const Rq16Lanes& r, const int32_t* acc, __m128i up) {
  const auto lifted = [&](const int32_t* at) { return _mm256_sll_epi32(Load(at), up); };
  const __m256i low = _mm256_srav_epi32(_mm256_add_epi32(lifted(acc), r.half_low), r.shift_low);
  const __m256i high = _mm256_srav_epi32(_mm256_add_epi32(lifted(acc + 8), r.half_high), r.shift_high);
  return _mm256_mulhrs_epi16(_mm256_packs_epi32(low, high), r.mult);
}

// From units of 2^-k code to codes.
struct CodeEnd {
  __m256i zero;  // (z << k) plus the rounding half
  __m128i shift;
  CodeRange range;
};

template <typename Strip>
CodeEnd MakeCodeEnd(const Strip& s) {
  const int half = s.k == 0 ? 0 : 1 << (s.k - 1);
  return {_mm256_set1_epi16(static_cast<int16_t>((s.zero << s.k) + half)), _mm_cvtsi32_si128(s.k),
          MakeCodeRange(s.lo, s.hi, s.flip)};
}

__m128i Codes(const CodeEnd& e, __m256i y) {
  return CodesOfPack(_mm256_sra_epi16(_mm256_adds_epi16(y, e.zero), e.shift), e.range);
}

// GELU of 16 lanes. The segment tables are split into byte planes for VPSHUFB.
class Gelu {
 public:
  explicit Gelu(int unit_bits)
      : inside_(_mm256_set1_epi16(static_cast<int16_t>((4 << unit_bits) - 1))),
        in_segment_(_mm256_set1_epi16(static_cast<int16_t>((1 << (unit_bits - 2)) - 1))),
        segment_shift_(_mm_cvtsi32_si128(unit_bits - 2)),
        argument_shift_(_mm_cvtsi32_si128(17 - unit_bits)),
        half_(_mm256_set1_epi16(static_cast<int16_t>(1 << (15 - unit_bits)))),
        result_shift_(_mm_cvtsi32_si128(16 - unit_bits)) {
    for (int c = 0; c < 3; ++c) {
      alignas(16) uint8_t low[16], high[16];
      for (int i = 0; i < 16; ++i) {
        low[i] = static_cast<uint8_t>(kGeluTable[i][c]);
        high[i] = static_cast<uint8_t>(static_cast<uint16_t>(kGeluTable[i][c]) >> 8);
      }
      low_[c] = _mm256_broadcastsi128_si256(LoadHalf(low));
      high_[c] = _mm256_broadcastsi128_si256(LoadHalf(high));
    }
  }

  __m256i operator()(__m256i x) const {
    const __m256i a = _mm256_abs_epi16(x);  // -32768 becomes unsigned 32768
    const __m256i ai = _mm256_min_epu16(a, inside_);
    const __m256i segment = _mm256_srl_epi16(ai, segment_shift_);
    const __m256i u = _mm256_sll_epi16(_mm256_and_si256(ai, in_segment_), argument_shift_);
    // One index per byte plane; the other byte has its top bit set, which VPSHUFB turns into zero.
    const __m256i low = _mm256_or_si256(segment, _mm256_set1_epi16(int16_t{-0x8000}));
    const __m256i high = _mm256_or_si256(_mm256_slli_epi16(segment, 8), _mm256_set1_epi16(0x0080));
    const auto coefficient = [&](int c) {
      return _mm256_or_si256(_mm256_shuffle_epi8(low_[c], low), _mm256_shuffle_epi8(high_[c], high));
    };
    __m256i h = _mm256_mulhrs_epi16(coefficient(2), u);
    h = _mm256_mulhrs_epi16(_mm256_add_epi16(h, coefficient(1)), u);
    h = _mm256_add_epi16(h, coefficient(0));
    const __m256i zero = _mm256_setzero_si256();
    const __m256i g = _mm256_max_epi16(_mm256_sra_epi16(_mm256_add_epi16(h, half_), result_shift_), zero);
    const __m256i near = _mm256_cmpeq_epi16(a, ai);
    return _mm256_sub_epi16(_mm256_max_epi16(x, zero), _mm256_and_si256(g, near));
  }

 private:
  __m256i inside_, in_segment_;
  __m128i segment_shift_, argument_shift_;
  __m256i half_;
  __m128i result_shift_;
  __m256i low_[3], high_[3];
};

// Applies convert(16 lanes of RQ16W) -> codes to a strip.
template <typename Strip, typename Convert>
void NarrowStrip(const Strip& s, Convert convert) {
  Rq16Lanes lanes[kBlock / 16];
  const __m128i up = _mm_cvtsi32_si128(s.up);
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < width; j += 16) lanes[j / 16] = MakeRq16Lanes(s.mult + j0 + j, s.shift + j0 + j);
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      uint8_t* out = s.out + static_cast<size_t>(i) * s.out_stride + j0;
      ForEachVector<16>(
          width, [&](int j, int count) { StoreFirst(out + j, convert(Apply16(lanes[j / 16], acc + j, up)), count); });
    }
  }
}

void Avx2RequantizeNarrow(const RequantizeNarrow& s) {
  const CodeEnd end = MakeCodeEnd(s);
  NarrowStrip(s, [&](__m256i y) { return Codes(end, y); });
}

void Avx2RequantizeGelu(const RequantizeGelu& s) {
  const CodeEnd end = MakeCodeEnd(s);
  const Gelu gelu(s.unit_bits);
  const __m256i mult = _mm256_set1_epi16(s.out_mult);
  NarrowStrip(s, [&](__m256i y) { return Codes(end, _mm256_mulhrs_epi16(gelu(y), mult)); });
}

void Avx2GeluS16(const GeluS16& g) {
  const Gelu gelu(g.unit_bits);
  ForEachVector<16>(g.n, [&](size_t i, size_t count) { StoreFirst(g.x + i, gelu(Load(g.x + i)), count); });
}

// ---------------------------------------------------------------- RQ32

// Calls step(RQ32 lanes, row, channel, how many of the eight channels exist) over a strip; the accumulators are padded.
template <typename Strip, typename Step>
void WideStrip(const Strip& s, Step step) {
  Rq32Lanes lanes[kBlock / 8];
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < width; j += 8) lanes[j / 8] = MakeRq32Lanes(s.rq.mult + j0 + j, s.rq.shift + j0 + j);
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      ForEachVector<8>(width, [&](int j, int count) {
        step(Apply(lanes[j / 8], Load(acc + j)), static_cast<size_t>(i), static_cast<size_t>(j0 + j), count);
      });
    }
  }
}

void Avx2RequantizeR24(const RequantizeR24& s) {
  const __m256i lo = _mm256_set1_epi32(-kR24Max);
  const __m256i hi = _mm256_set1_epi32(kR24Max);
  const auto strip = [&](auto base) {
    WideStrip(s, [&](__m256i y, size_t i, size_t j, int count) {
      const __m256i sum = _mm256_add_epi32(base(i, j), Clamp32(y, lo, hi));
      StoreFirst(s.out + i * s.out_stride + j, Clamp32(sum, lo, hi), count);
    });
  };
  if (s.add != nullptr) {
    strip([&](size_t i, size_t j) { return Load(s.add + i * s.add_stride + j); });
  } else if (s.add16 != nullptr) {
    strip([&](size_t i, size_t j) {
      return _mm256_slli_epi32(_mm256_cvtepi16_epi32(LoadHalf(s.add16 + i * s.add16_stride + j)), 8);
    });
  } else {
    strip([](size_t, size_t) { return _mm256_setzero_si256(); });
  }
}

void Avx2RequantizeS16(const RequantizeS16& s) {
  const __m256i lo = _mm256_set1_epi32(s.lo);
  const __m256i hi = _mm256_set1_epi32(s.hi);
  const auto strip = [&](auto sum) {
    WideStrip(s, [&](__m256i y, size_t i, size_t j, int count) {
      const __m256i clamped = Clamp32(sum(y, i, j), lo, hi);
      const __m128i packed = _mm_packs_epi32(_mm256_castsi256_si128(clamped), _mm256_extracti128_si256(clamped, 1));
      StoreFirst(s.out + i * s.out_stride + j, packed, count);
    });
  };
  if (s.add == nullptr) return strip([](__m256i y, size_t, size_t) { return y; });
  // What lies beyond +-2^16 is out of range whatever is added, and so that the sum does not wrap.
  const __m256i least = _mm256_set1_epi32(-(1 << 16));
  const __m256i most = _mm256_set1_epi32(1 << 16);
  strip([&](__m256i y, size_t i, size_t j) {
    const __m256i add = _mm256_cvtepi16_epi32(LoadHalf(s.add + i * s.add_stride + j));
    return _mm256_add_epi32(Clamp32(y, least, most), add);
  });
}

// RQ32 on 16-bit lanes: with mult = mh * 2^16 + ml, |ml| <= 2^15, floor(x * mult / 2^16) = x * mh + (x * ml >> 16), and
// what is left of the shift fits s32. The sum x + y saturates, so a saturated one must be beyond the last code.
bool FitsNarrowLanes(const QuantizeCodes& q) {
  if (q.wide != nullptr || q.shift < 17 || q.shift > 46 || q.mult > INT32_MAX - (1 << 15)) return false;
  return q.y == nullptr || (Requantize32(INT16_MAX, q.mult, q.shift) + q.zero >= q.hi &&
                            Requantize32(INT16_MIN, q.mult, q.shift) + q.zero <= q.lo);
}

void QuantizeNarrowLanes(const QuantizeCodes& q) {
  const int mh = (q.mult + (1 << 15)) >> 16;
  const __m256i high_and_one = _mm256_set1_epi32((1 << 16) | mh);  // pairs (x, x * ml >> 16) times (mh, 1)
  const __m256i low = _mm256_set1_epi16(static_cast<int16_t>(q.mult - (mh << 16)));
  const __m256i half = _mm256_set1_epi32(1 << (q.shift - 17));
  const __m128i shift = _mm_cvtsi32_si128(q.shift - 16);
  const __m256i zero = _mm256_set1_epi16(static_cast<int16_t>(q.zero));
  const CodeRange range = MakeCodeRange(q.lo, q.hi, q.flip);
  ForEachVector<16>(q.n, [&](size_t i, size_t count) {
    const __m256i x = q.y == nullptr ? Load(q.x + i) : _mm256_adds_epi16(Load(q.x + i), Load(q.y + i));
    const __m256i carry = _mm256_mulhi_epi16(x, low);
    const auto finish = [&](__m256i pairs) {
      return _mm256_sra_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, high_and_one), half), shift);
    };
    // Unpacking and packing leave the lanes in order.
    const __m256i values =
        _mm256_packs_epi32(finish(_mm256_unpacklo_epi16(x, carry)), finish(_mm256_unpackhi_epi16(x, carry)));
    const __m256i bytes = _mm256_packus_epi16(_mm256_adds_epi16(values, zero), values);
    const __m128i codes = _mm_unpacklo_epi64(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    StoreFirst(q.out + i, _mm_xor_si128(_mm_min_epu8(_mm_max_epu8(codes, range.lo), range.hi), range.flip), count);
  });
}

void Avx2QuantizeCodes(const QuantizeCodes& q) {
  if (FitsNarrowLanes(q)) return QuantizeNarrowLanes(q);
  const Rq32Lanes rq = MakeRq32Lanes(q.mult, q.shift);
  // Clamping before the zero point joins gives the same code and cannot wrap.
  const __m256i lo = _mm256_set1_epi32(q.lo - q.zero);
  const __m256i hi = _mm256_set1_epi32(q.hi - q.zero);
  const __m256i zero = _mm256_set1_epi32(q.zero);
  const CodeRange range = MakeCodeRange(q.lo, q.hi, q.flip);
  const auto read = [&](size_t i) {
    if (q.wide != nullptr) return Load(q.wide + i);
    const __m256i x = _mm256_cvtepi16_epi32(LoadHalf(q.x + i));
    return q.y == nullptr ? x : _mm256_add_epi32(x, _mm256_cvtepi16_epi32(LoadHalf(q.y + i)));
  };
  const auto code = [&](size_t i) { return _mm256_add_epi32(Clamp32(Apply(rq, read(i)), lo, hi), zero); };
  ForEachVector<16>(q.n, [&](size_t i, size_t count) {
    // The second half may start past the padding of a short buffer, so it is read only where elements exist.
    const __m256i first = code(i);
    const __m256i second = count > 8 ? code(i + 8) : first;
    StoreFirst(q.out + i, CodesOfPack(_mm256_packs_epi32(first, second), range), count);
  });
}

void Avx2NarrowR24(const NarrowR24& r) {
  const __m256i half = _mm256_set1_epi32(1 << 7);
  const __m256i lo = _mm256_set1_epi16(-32767);
  const auto value = [&](const int32_t* x) { return _mm256_srai_epi32(_mm256_add_epi32(Load(x), half), 8); };
  ForEachVector<16>(r.n, [&](size_t i, size_t count) {
    // The second half may start past the padding of a short buffer, so it is read only where elements exist.
    const __m256i first = value(r.x + i);
    const __m256i second = count > 8 ? value(r.x + i + 8) : first;
    StoreFirst(r.out + i, _mm256_max_epi16(Pack16(first, second), lo), count);
  });
}

}  // namespace

void FillEpilogueAvx2(Kernels& k) {
  k.requantize_narrow = Avx2RequantizeNarrow;
  k.requantize_gelu = Avx2RequantizeGelu;
  k.requantize_r24 = Avx2RequantizeR24;
  k.requantize_s16 = Avx2RequantizeS16;
  k.quantize_codes = Avx2QuantizeCodes;
  k.gelu_s16 = Avx2GeluS16;
  k.narrow_r24 = Avx2NarrowR24;
}

}  // namespace intsam::internal
