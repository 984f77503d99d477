// Helpers shared by the AVX2 sources: loads and exact-length stores, RQ32 of eight lanes, the last step of every code,
// packed weights, and the vectors that the templates of gemm/ and nn/ want. Include it only from files compiled with
// -mavx2.
//
// Everything here has internal linkage, as in kernels/numerics. Outputs never write past their last element, so that
// strips of one buffer can be written by different threads; inputs are read up to kPadBytes past the end.
#ifndef INTSAM_KERNELS_ISA_AVX2_H_
#define INTSAM_KERNELS_ISA_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/isa/loops.h"
#include "kernels/isa/x86.h"
#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/packed_weights.h"

namespace intsam::internal::avx2 {

static inline __m256i Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
static inline __m128i LoadHalf(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
static inline void Store(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
static inline void StoreHalf(void* p, __m128i v) { _mm_storeu_si128(static_cast<__m128i*>(p), v); }

// Keeps an accumulator in its register: without this GCC gathers the loads and products of a whole step and spills
// accumulators to make room for them.
static inline void Pin(__m256i& accumulator) { asm volatile("" : "+x"(accumulator)); }

static inline __m256i Broadcast32(const void* p) {
  int32_t value;
  std::memcpy(&value, p, sizeof value);
  return _mm256_set1_epi32(value);
}

static inline void StoreAny(void* p, __m256i v) { Store(p, v); }
static inline void StoreAny(void* p, __m128i v) { StoreHalf(p, v); }

// The first min(count, lanes) elements of a vector, count >= 1.
template <typename T, typename Vector, typename Count>
static inline void StoreFirst(T* p, Vector v, Count count) {
  constexpr size_t kLanes = sizeof(Vector) / sizeof(T);
  if (static_cast<size_t>(count) >= kLanes) return StoreAny(p, v);
  T lanes[kLanes];
  StoreAny(lanes, v);
  std::memcpy(p, lanes, static_cast<size_t>(count) * sizeof(T));
}
// The same piecewise: a store that reached into the next row, or one piece of unknown size, would stall its load.
static inline void StorePieces(int32_t* p, __m256i v, int count) {
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

static inline __m256i Clamp32(__m256i x, __m256i lo, __m256i hi) {
  return _mm256_min_epi32(_mm256_max_epi32(x, lo), hi);
}

// VPACKSSDW interleaves its operands by halves; this puts eight and eight lanes in order. Saturates to s16.
static inline __m256i Pack16(__m256i first, __m256i second) {
  return _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8);
}
// Reorders 16 s16 in memory order the way VPACKSSDW leaves its result (the permutation is its own inverse).
static inline __m256i PackOrder(__m256i v) { return _mm256_permute4x64_epi64(v, 0xD8); }

// The sums of eight vectors, in order.
static inline __m256i SumEach(const __m256i v[8]) {
  // The first lanes of each half hold a sum of two lanes of x, the second ones of y, and so on.
  const auto pair = [](__m256i x, __m256i y) {
    return _mm256_add_epi32(_mm256_unpacklo_epi32(x, y), _mm256_unpackhi_epi32(x, y));
  };
  const auto four = [&](const __m256i* x) {
    const __m256i a = pair(x[0], x[1]);
    const __m256i b = pair(x[2], x[3]);
    return _mm256_add_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
  };
  const __m256i a = four(v);
  const __m256i b = four(v + 4);
  return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}

// RSH of four s64 by one count. AVX2 has no 64-bit arithmetic shift, so 2^62 makes the value fit for a logical one.
// |x| <= 2^62, s in 0..62.
struct RoundShift64 {
  __m256i add, sub;
  __m128i shift;
};
static inline RoundShift64 MakeRoundShift64(int s) {
  const int64_t half = s == 0 ? 0 : int64_t{1} << (s - 1);
  return {_mm256_set1_epi64x((int64_t{1} << 62) + half), _mm256_set1_epi64x((int64_t{1} << 62) >> s),
          _mm_cvtsi32_si128(s)};
}
static inline __m256i Apply(const RoundShift64& r, __m256i x) {
  return _mm256_sub_epi64(_mm256_srl_epi64(_mm256_add_epi64(x, r.add), r.shift), r.sub);
}

// RQ32 of eight accumulators, even and odd lanes apart. The low halves of the 64-bit results are the results.
struct Rq32Lanes {
  __m256i mult_even, mult_odd;    // low halves of 64-bit lanes
  __m256i add_even, add_odd;      // 2^62 + 2^(s-1)
  __m256i shift_even, shift_odd;  // s
  __m256i sub;                    // 2^62 >> s, low half, all lanes in order
};

static inline __m256i Apply(const Rq32Lanes& r, __m256i acc) {
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(acc, r.mult_even), r.add_even);
  const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(acc, 32), r.mult_odd), r.add_odd);
  const __m256i high = _mm256_slli_epi64(_mm256_srlv_epi64(odd, r.shift_odd), 32);
  return _mm256_sub_epi32(_mm256_blend_epi32(_mm256_srlv_epi64(even, r.shift_even), high, 0xAA), r.sub);
}

// Lanes whose shift lies outside 1..62 (the padding of a channel buffer) give unspecified values and no fault.
static inline Rq32Lanes MakeRq32Lanes(const int32_t* mult, const uint8_t* shift) {
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i offset = _mm256_set1_epi64x(int64_t{1} << 62);
  const __m256i m = Load(mult);
  const __m256i s = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(shift)));
  const __m256i s_even = _mm256_and_si256(s, _mm256_set1_epi64x(0xFFFFFFFF));
  const __m256i s_odd = _mm256_srli_epi64(s, 32);
  const auto add = [&](__m256i count) {
    return _mm256_add_epi64(offset, _mm256_srli_epi64(_mm256_sllv_epi64(one, count), 1));
  };
  const __m256i sub_odd = _mm256_slli_epi64(_mm256_srlv_epi64(offset, s_odd), 32);
  return {m,
          _mm256_srli_epi64(m, 32),
          add(s_even),
          add(s_odd),
          s_even,
          s_odd,
          _mm256_blend_epi32(_mm256_srlv_epi64(offset, s_even), sub_odd, 0xAA)};
}

static inline Rq32Lanes MakeRq32Lanes(int32_t mult, int shift) {
  int32_t mults[8];
  uint8_t shifts[8];
  for (int i = 0; i < 8; ++i) {
    mults[i] = mult;
    shifts[i] = static_cast<uint8_t>(shift);
  }
  return MakeRq32Lanes(mults, shifts);
}

// The end of every code: 16 values (two packs of s16 in VPACKSSDW order: 0-3, 8-11, 4-7, 12-15) clamped to
// 0 <= lo <= hi <= 255 and flipped.
struct CodeRange {
  __m128i lo, hi, flip;
};
static inline CodeRange MakeCodeRange(int lo, int hi, uint8_t flip) {
  return {_mm_set1_epi8(static_cast<char>(lo)), _mm_set1_epi8(static_cast<char>(hi)),
          _mm_set1_epi8(static_cast<char>(flip))};
}
static inline __m128i CodesOfPack(__m256i packed, const CodeRange& range) {
  const __m256i bytes = _mm256_packus_epi16(packed, packed);
  const __m128i codes = _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  return _mm_xor_si128(_mm_min_epu8(_mm_max_epu8(codes, range.lo), range.hi), range.flip);
}

// A packed group: codes of channels 0..7 (left) and 8..15, as bytes.
struct CodesOfGroup {
  __m256i left, right;
};
template <int kBits>
static inline CodesOfGroup Unpack(const uint8_t* group) {
  const __m256i low = Load(group);
  const __m256i nibble = _mm256_set1_epi8(15);
  CodesOfGroup u{_mm256_and_si256(low, nibble), _mm256_and_si256(_mm256_srli_epi16(low, 4), nibble)};
  if constexpr (kBits >= 6) {
    const __m256i pairs = _mm256_broadcastsi128_si256(LoadHalf(group + 32));
    const __m256i bits45 = _mm256_set1_epi8(0x30);
    const __m256i up = _mm256_sllv_epi32(pairs, _mm256_setr_epi32(4, 4, 4, 4, 2, 2, 2, 2));
    const __m256i down = _mm256_srlv_epi32(pairs, _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2));
    u.left = _mm256_or_si256(u.left, _mm256_and_si256(up, bits45));
    u.right = _mm256_or_si256(u.right, _mm256_and_si256(down, bits45));
  }
  if constexpr (kBits % 2 != 0) {
    const __m256i tops =
        _mm256_broadcastq_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(group + GroupBytes(kBits - 1))));
    const __m256i top = _mm256_set1_epi8(1 << (kBits - 1));
    const __m256i bit = _mm256_set_epi64x(0x0808080808080808, 0x0404040404040404, 0x0202020202020202,  //
                                          0x0101010101010101);
    const auto set = [&](__m256i mask) {
      return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(tops, mask), mask), top);
    };
    u.left = _mm256_or_si256(u.left, set(bit));
    u.right = _mm256_or_si256(u.right, set(_mm256_slli_epi16(bit, 4)));
  }
  return u;
}

}  // namespace intsam::internal::avx2

namespace intsam::internal {
namespace {  // a type of this file alone: so are the instances of the templates

struct Ymm {
  using Vector = __m256i;
  using Half = __m128i;
  using Rq32Lanes = avx2::Rq32Lanes;
  using CodeRange = avx2::CodeRange;
  static constexpr int kLanes = 8, kWords = 16;        // s32, s16
  static constexpr int kMixRows = 6, kMixVectors = 2;  // 12 of the 16 registers hold sums
  static constexpr int kSoftmaxVectors = 4;            // side by side, where the chain of one is long
  static constexpr int kRelativeSums = 8;              // of the 16 registers

  static constexpr bool kMaskedStores = false;  // of StoreFirst

  INTSAM_X86_OPERATIONS(_mm256, 256)

  static Vector Load(const void* p) { return avx2::Load(p); }
  static void Store(void* p, Vector v) { avx2::Store(p, v); }
  static Vector Broadcast32(const void* p) { return avx2::Broadcast32(p); }
  static Vector RepeatEight(__m256i v) { return v; }  // of s32
  static Vector Set64(int64_t x) { return _mm256_set1_epi64x(x); }
  static Vector BroadcastQuarter(__m128i v) { return _mm256_broadcastsi128_si256(v); }
  // kLanes values as s32.
  static Vector LoadU8As32(const uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static Vector LoadS8As16(const int8_t* p) { return _mm256_cvtepi8_epi16(avx2::LoadHalf(p)); }  // kWords values
  static Vector LoadS16As32(const int16_t* p) { return _mm256_cvtepi16_epi32(avx2::LoadHalf(p)); }
  // s32 to s16, which hold them.
  static Half Narrow32(Vector v) { return _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)); }

  // The first `count` lanes of v, or of memory, which is read as a whole vector unless count <= 0; the others of
  // `rest`.
  static Vector First32(Vector v, int count, Vector rest) {
    if (count >= kLanes) return v;
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_blendv_epi8(rest, v, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
  }
  static Vector LoadFirst32(const int32_t* p, int count, Vector rest) {
    return count <= 0 ? rest : First32(Load(p), count, rest);
  }
  static void StoreFirst(int32_t* p, Vector v, ptrdiff_t count) { avx2::StorePieces(p, v, static_cast<int>(count)); }
  template <typename T, typename V>
  static void StoreFirst(T* p, V v, ptrdiff_t count) {
    avx2::StoreFirst(p, v, count);
  }

  // From the order that Pack32 of two vectors leaves to the one in memory, and back.
  static Vector MemoryOrder(Vector packed) { return avx2::PackOrder(packed); }
  static Vector PackOrder(Vector v) { return avx2::PackOrder(v); }

  // Quads of bytes 0 2 4 6 | 1 3 5 7: interleaved with two others, then once more, all four results are in order.
  static Vector SpreadQuads(Vector v) {
    return _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
  }

  template <typename Mult, typename Shift>
  static Rq32Lanes MakeRq32Lanes(Mult mult, Shift shift) {
    return avx2::MakeRq32Lanes(mult, shift);
  }
  static CodeRange MakeCodeRange(int lo, int hi, uint8_t flip) { return avx2::MakeCodeRange(lo, hi, flip); }
  // s16 values in memory order.
  static Half CodesOfWords(Vector words, const CodeRange& range) {
    const __m256i bytes = _mm256_packus_epi16(words, words);
    const __m128i codes = _mm_unpacklo_epi64(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    return _mm_xor_si128(_mm_min_epu8(_mm_max_epu8(codes, range.lo), range.hi), range.flip);
  }

  // x - y where a and b are equal, else x; all ones where they are, else x; zero where a > b, else x.
  static Vector SubWhereEqual16(Vector x, Vector y, Vector a, Vector b) {
    return _mm256_sub_epi16(x, _mm256_and_si256(y, _mm256_cmpeq_epi16(a, b)));
  }
  static Vector OnesWhereEqual16(Vector x, Vector a, Vector b) { return Or(x, _mm256_cmpeq_epi16(a, b)); }
  static Vector ZeroWhereGreater16(Vector x, Vector a, Vector b) {
    return _mm256_andnot_si256(_mm256_cmpgt_epi16(a, b), x);
  }

  // A table of sixteen words, entry(0..15), split into byte planes for VPSHUFB, and indices 0..15, one per plane: the
  // other byte has its top bit set, which VPSHUFB turns into zero.
  struct Table16 {
    Vector low, high;
  };
  struct Index16 {
    Vector low, high;
  };
  struct Table16Bytes {
    uint8_t low[16], high[16];
  };
  template <typename Entry>
  static constexpr Table16Bytes MakeTable16(Entry entry) {
    Table16Bytes bytes{};
    for (int i = 0; i < 16; ++i) {
      bytes.low[i] = static_cast<uint8_t>(entry(i));
      bytes.high[i] = static_cast<uint8_t>(entry(i) >> 8);
    }
    return bytes;
  }
  static Table16 LoadTable16(const Table16Bytes& bytes) {
    return {BroadcastQuarter(avx2::LoadHalf(bytes.low)), BroadcastQuarter(avx2::LoadHalf(bytes.high))};
  }
  static Index16 MakeIndex16(Vector index) {
    return {Or(index, Set16(-0x8000)), Or(ShiftLeft16<8>(index), Set16(0x0080))};
  }
  static Vector LookUp16(const Table16& table, const Index16& index) {
    return Or(LookUp8(table.low, index.low), LookUp8(table.high, index.high));
  }

  // Even lanes of the first, odd ones of the second.
  static Vector Alternate32(Vector even, Vector odd) { return _mm256_blend_epi32(even, odd, 0xAA); }

  // Sums of two products s16 x s16 per s32 lane, added.
  static Vector DotWords(Vector sum, Vector x, Vector y) { return Add32(sum, MulPairs16(x, y)); }
  // The lanes' sum, which fits; the largest.
  static uint32_t Sum32(Vector v) {
    uint32_t lanes[kLanes], sum = 0;
    Store(lanes, v);
    for (uint32_t lane : lanes) sum += lane;
    return sum;
  }
  static int64_t Sum64(Vector v) {
    int64_t lanes[4];
    Store(lanes, v);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
  }
  static int32_t Largest32(Vector v) {
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4E));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xB1)));
  }
  // Adds the lanes to as many s64, or starts the sums with them.
  static void Accumulate(int64_t* out, Vector v, bool start) {
    const auto half = [&](int64_t* to, __m128i four) {
      const __m256i wide = _mm256_cvtepi32_epi64(four);
      Store(to, start ? wide : Add64(wide, Load(to)));
    };
    half(out, _mm256_castsi256_si128(v));
    half(out + 4, _mm256_extracti128_si256(v, 1));
  }
};

}  // namespace
}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_ISA_AVX2_H_
