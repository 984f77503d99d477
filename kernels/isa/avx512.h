// Helpers shared by the AVX-512 sources: loads, masked tails, the vectors that the templates of gemm/ and nn/ want.
// Only for files compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni.
//
// Everything here has internal linkage, as in kernels/numerics. Inputs are read up to kPadBytes past the end, which is
// one whole vector; a mask keeps outputs within their last element.
#ifndef INTSAM_KERNELS_ISA_AVX512_H_
#define INTSAM_KERNELS_ISA_AVX512_H_

#include <cstddef>
#include <cstdint>

#include "kernels/isa/avx2.h"
#include "kernels/isa/intrinsics_x86.h"
#include "kernels/isa/x86.h"
#include "kernels/kernels.h"
#include "kernels/numerics/packed_weights.h"

namespace intsam::internal {
namespace avx512 {

static inline __m512i Load(const void* p) { return _mm512_loadu_si512(p); }
static inline void Store(void* p, __m512i v) { _mm512_storeu_si512(p, v); }

// The first min(count, lanes) lanes, count >= 0.
template <typename Mask>
static inline Mask FirstLanes(ptrdiff_t count) {
  constexpr int kLanes = 8 * static_cast<int>(sizeof(Mask));
  return count >= kLanes ? static_cast<Mask>(~Mask{0}) : static_cast<Mask>((uint64_t{1} << count) - 1);
}

// The first min(count, lanes) elements of a vector.
static inline void StoreFirst(int32_t* p, __m512i v, ptrdiff_t count) {
  if (count >= 16) return Store(p, v);
  _mm512_mask_storeu_epi32(p, FirstLanes<__mmask16>(count), v);
}
static inline void StoreFirst(int16_t* p, __m512i v, ptrdiff_t count) {
  if (count >= 32) return Store(p, v);
  _mm512_mask_storeu_epi16(p, FirstLanes<__mmask32>(count), v);
}
static inline void StoreFirst(int16_t* p, __m256i v, ptrdiff_t count) {
  if (count >= 16) return avx2::Store(p, v);
  _mm256_mask_storeu_epi16(p, FirstLanes<__mmask16>(count), v);
}
static inline void StoreFirst(uint16_t* p, __m512i v, ptrdiff_t count) {
  StoreFirst(reinterpret_cast<int16_t*>(p), v, count);
}
static inline void StoreFirst(uint8_t* p, __m256i v, ptrdiff_t count) {
  if (count >= 32) return avx2::Store(p, v);
  _mm256_mask_storeu_epi8(p, FirstLanes<__mmask32>(count), v);
}

static inline __m512i Clamp32(__m512i x, __m512i lo, __m512i hi) {
  return _mm512_min_epi32(_mm512_max_epi32(x, lo), hi);
}

// VPACKSSDW and VPACKUSDW interleave their operands by quarters. From that order to the one in memory, and back.
static inline __m512i MemoryOrder(__m512i packed) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
}
static inline __m512i PackOrder(__m512i v) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), v);
}

// 64 words as their low and their high bytes, in order.
struct WordBytes {
  __m512i low, high;
};
static inline WordBytes SplitWords(__m512i front, __m512i back) {
  const __m512i byte = _mm512_set1_epi16(255);
  return {MemoryOrder(_mm512_packus_epi16(_mm512_and_si512(front, byte), _mm512_and_si512(back, byte))),
          MemoryOrder(_mm512_packus_epi16(_mm512_srli_epi16(front, 8), _mm512_srli_epi16(back, 8)))};
}

// RQ32 of sixteen accumulators, even and odd lanes apart. The low halves of the 64-bit results are the results.
struct Rq32Lanes {
  __m512i mult_even, mult_odd;    // low halves of 64-bit lanes
  __m512i half_even, half_odd;    // 2^(s-1)
  __m512i shift_even, shift_odd;  // s
};
static inline __m512i Apply(const Rq32Lanes& r, __m512i acc) {
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(acc, r.mult_even), r.half_even);
  const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(acc, 32), r.mult_odd), r.half_odd);
  const __m512i high = _mm512_slli_epi64(_mm512_srav_epi64(odd, r.shift_odd), 32);
  return _mm512_mask_mov_epi32(_mm512_srav_epi64(even, r.shift_even), 0xAAAA, high);
}
// Of sixteen channels; lanes whose shift lies outside 1..62 (the padding of a channel buffer) give unspecified values.
static inline Rq32Lanes MakeRq32Lanes(__m512i mult, __m512i shift) {
  const auto half = [](__m512i s) { return _mm512_srli_epi64(_mm512_sllv_epi64(_mm512_set1_epi64(1), s), 1); };
  const __m512i even = _mm512_and_si512(shift, _mm512_set1_epi64(0xFFFFFFFF)), odd = _mm512_srli_epi64(shift, 32);
  return {mult, _mm512_srli_epi64(mult, 32), half(even), half(odd), even, odd};
}
static inline Rq32Lanes MakeRq32Lanes(const int32_t* mult, const uint8_t* shift) {
  return MakeRq32Lanes(Load(mult), _mm512_cvtepu8_epi32(avx2::LoadHalf(shift)));
}
static inline Rq32Lanes MakeRq32Lanes(int32_t mult, int shift) {
  return MakeRq32Lanes(_mm512_set1_epi32(mult), _mm512_set1_epi32(shift));
}

// The end of every code: 32 values in the order of a pack, clamped to 0 <= lo <= hi <= 255 and flipped.
struct CodeRange {
  __m256i lo, hi, flip;
};
static inline CodeRange MakeCodeRange(int lo, int hi, uint8_t flip) {
  return {_mm256_set1_epi8(static_cast<char>(lo)), _mm256_set1_epi8(static_cast<char>(hi)),
          _mm256_set1_epi8(static_cast<char>(flip))};
}
static inline __m256i CodesOfPack(__m512i packed, const CodeRange& range) {
  const __m512i bytes = _mm512_packus_epi16(packed, packed);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i codes = _mm512_castsi512_si256(_mm512_permutexvar_epi32(order, bytes));
  return _mm256_xor_si256(_mm256_min_epu8(_mm256_max_epu8(codes, range.lo), range.hi), range.flip);
}

// A packed group: its codes as bytes.
template <int kBits>
static inline __m512i Unpack(const uint8_t* group) {
  const __m512i nibbles = _mm512_broadcast_i64x4(avx2::Load(group));
  const __m512i upper_half =
      _mm512_setr_epi64(0, 0, 0, 0, 0x0004000400040004, 0x0004000400040004, 0x0004000400040004, 0x0004000400040004);
  __m512i codes = _mm512_and_si512(_mm512_srlv_epi16(nibbles, upper_half), _mm512_set1_epi8(15));
  if constexpr (kBits >= 6) {
    // Bits 0, 2, 4 and 6 of a byte come to bit 4 for the four quarters; what else comes along is masked out.
    const __m512i pairs = _mm512_broadcast_i32x4(avx2::LoadHalf(group + 32));
    const __m512i left = _mm512_setr_epi32(4, 4, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0, 30, 30, 30, 30);
    const __m512i bits45 = _mm512_and_si512(_mm512_rolv_epi32(pairs, left), _mm512_set1_epi8(0x30));
    codes = _mm512_or_si512(codes, bits45);
  }
  if constexpr (kBits % 2 != 0) {
    int64_t tops;
    std::memcpy(&tops, group + GroupBytes(kBits - 1), sizeof tops);
    const __m512i bit = _mm512_setr_epi64(0x0101010101010101, 0x0202020202020202, 0x0404040404040404,
                                          0x0808080808080808, 0x1010101010101010, 0x2020202020202020,
                                          0x4040404040404040, static_cast<int64_t>(0x8080808080808080));
    const __mmask64 set = _mm512_test_epi8_mask(_mm512_set1_epi64(tops), bit);
    codes = _mm512_or_si512(codes, _mm512_maskz_set1_epi8(set, 1 << (kBits - 1)));
  }
  return codes;
}

}  // namespace avx512

namespace {  // a type of this file alone: so are the instances of the templates

struct Zmm {
  using Vector = __m512i;
  using Half = __m256i;
  using Rq32Lanes = avx512::Rq32Lanes;
  using CodeRange = avx512::CodeRange;
  static constexpr int kLanes = 16, kWords = 32;  // s32, s16
  // Tiles: 24 (GEMM) and 16 (mix, whose values of a block stay in L1) of the 32 registers hold sums; 10 hide the
  // latency of two instructions a cycle.
  static constexpr int kGemmRows = 6, kGemmPanels = 4;
  static constexpr int kMixRows = 8, kMixVectors = 2;
  static constexpr int kSoftmaxVectors = 2;  // side by side, where the chain of one is long
  static constexpr int kRelativeSums = 16;   // of the registers

  static constexpr bool kMaskedStores = true;  // of StoreFirst

  INTSAM_X86_OPERATIONS(_mm512, 512)

  static Vector Load(const void* p) { return avx512::Load(p); }
  static void Store(void* p, Vector v) { avx512::Store(p, v); }
  static Vector Broadcast32(const void* p) {
    int32_t value;
    std::memcpy(&value, p, sizeof value);
    return _mm512_set1_epi32(value);
  }
  static Vector RepeatEight(__m256i v) { return _mm512_broadcast_i64x4(v); }  // of s32
  static Vector Set64(int64_t x) { return _mm512_set1_epi64(x); }
  static Vector BroadcastQuarter(__m128i v) { return _mm512_broadcast_i32x4(v); }
  // kLanes values as s32.
  static Vector LoadU8As32(const uint8_t* p) { return _mm512_cvtepu8_epi32(avx2::LoadHalf(p)); }
  static Vector LoadS8As16(const int8_t* p) { return _mm512_cvtepi8_epi16(avx2::Load(p)); }  // kWords values
  static Vector LoadS16As32(const int16_t* p) { return _mm512_cvtepi16_epi32(avx2::Load(p)); }
  // s32 to s16, which hold them.
  static Half Narrow32(Vector v) { return _mm512_cvtepi32_epi16(v); }

  // The first `count` lanes of v, or of memory, none if count <= 0; the others of `rest`.
  static Vector First32(Vector v, int count, Vector rest) {
    return _mm512_mask_mov_epi32(rest, avx512::FirstLanes<__mmask16>(count < 0 ? 0 : count), v);
  }
  static Vector LoadFirst32(const int32_t* p, int count, Vector rest) {
    if (count >= kLanes) return Load(p);
    return _mm512_mask_loadu_epi32(rest, avx512::FirstLanes<__mmask16>(count < 0 ? 0 : count), p);
  }
  template <typename T, typename V>
  static void StoreFirst(T* p, V v, ptrdiff_t count) {
    avx512::StoreFirst(p, v, count);
  }

  // From the order that Pack32 of two vectors leaves to the one in memory, and back.
  static Vector MemoryOrder(Vector packed) { return avx512::MemoryOrder(packed); }
  static Vector PackOrder(Vector v) { return avx512::PackOrder(v); }

  // Quads of bytes 0 4 8 12 | 1 5 9 13 | ...: interleaved with two others, then once more, all four results are in
  // order.
  static Vector SpreadQuads(Vector v) {
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), v);
  }

  template <typename Mult, typename Shift>
  static Rq32Lanes MakeRq32Lanes(Mult mult, Shift shift) {
    return avx512::MakeRq32Lanes(mult, shift);
  }
  static CodeRange MakeCodeRange(int lo, int hi, uint8_t flip) { return avx512::MakeCodeRange(lo, hi, flip); }
  // s16 values in memory order.
  static Half CodesOfWords(Vector words, const CodeRange& range) {
    const __m512i bytes = _mm512_packus_epi16(words, words);
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 0, 2, 4, 6);
    const __m256i codes = _mm512_castsi512_si256(_mm512_permutexvar_epi64(order, bytes));
    return _mm256_xor_si256(_mm256_min_epu8(_mm256_max_epu8(codes, range.lo), range.hi), range.flip);
  }

  // x - y where a and b are equal, else x; all ones where they are, else x; zero where a > b, else x.
  static Vector SubWhereEqual16(Vector x, Vector y, Vector a, Vector b) {
    return _mm512_mask_sub_epi16(x, _mm512_cmpeq_epi16_mask(a, b), x, y);
  }
  static Vector OnesWhereEqual16(Vector x, Vector a, Vector b) {
    return _mm512_mask_mov_epi16(x, _mm512_cmpeq_epi16_mask(a, b), Set16(-1));
  }
  static Vector ZeroWhereGreater16(Vector x, Vector a, Vector b) {
    return _mm512_mask_mov_epi16(x, _mm512_cmpgt_epi16_mask(a, b), Zero());
  }

  // A table of sixteen words, entry(0..15), twice, and indices 0..15 for VPERMW.
  using Table16 = Vector;
  using Index16 = Vector;
  struct Table16Words {
    int16_t twice[kWords];
  };
  template <typename Entry>
  static constexpr Table16Words MakeTable16(Entry entry) {
    Table16Words words{};
    for (int i = 0; i < kWords; ++i) words.twice[i] = static_cast<int16_t>(entry(i % 16));
    return words;
  }
  static Table16 LoadTable16(const Table16Words& words) { return Load(words.twice); }
  static Index16 MakeIndex16(Vector index) { return index; }
  static Vector LookUp16(Table16 table, Index16 index) { return _mm512_permutexvar_epi16(index, table); }

  // Even lanes of the first, odd ones of the second.
  static Vector Alternate32(Vector even, Vector odd) { return _mm512_mask_mov_epi32(even, 0xAAAA, odd); }

  // Sums of four products u8 x s8, of two s16 x s16, per s32 lane, added. Neither saturates.
  static Vector DotBytes(Vector sum, Vector u, Vector s) { return _mm512_dpbusd_epi32(sum, u, s); }
  static Vector DotWords(Vector sum, Vector x, Vector y) { return _mm512_dpwssd_epi32(sum, x, y); }
  // The lanes' sum, which fits; the largest.
  static uint32_t Sum32(Vector v) { return static_cast<uint32_t>(_mm512_reduce_add_epi32(v)); }
  static int64_t Sum64(Vector v) { return _mm512_reduce_add_epi64(v); }
  static int32_t Largest32(Vector v) { return _mm512_reduce_max_epi32(v); }
  // Adds the lanes to as many s64, or starts the sums with them.
  static void Accumulate(int64_t* out, Vector v, bool start) {
    const auto half = [&](int64_t* to, __m256i eight) {
      const __m512i wide = _mm512_cvtepi32_epi64(eight);
      Store(to, start ? wide : Add64(wide, Load(to)));
    };
    half(out, _mm512_castsi512_si256(v));
    half(out + 8, _mm512_extracti64x4_epi64(v, 1));
  }
  // `depth` k of a packed panel to s8.
  template <int kBits>
  static void ExpandPanel(const uint8_t* packed, const uint8_t* zero, int depth, int8_t* out) {
    const __m512i zeros = _mm512_mullo_epi32(_mm512_cvtepu8_epi32(avx2::LoadHalf(zero)), _mm512_set1_epi32(0x01010101));
    for (int i = 0; i < depth * kPanel; i += kGroup, packed += GroupBytes(kBits)) {
      Store(out + i, _mm512_sub_epi8(avx512::Unpack<kBits>(packed), zeros));
    }
  }
};

}  // namespace
}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_ISA_AVX512_H_
