// The operations that AVX2 and AVX-512 name alike, as members of a struct for each width (Ymm of isa/avx2.h, Zmm of
// isa/avx512.h), so that a kernel whose steps are the same on both is written once. Names end in the width of a lane,
// and say U where it matters that lanes are unsigned. What the two do differently is in these structs.
#ifndef INTSAM_KERNELS_ISA_X86_H_
#define INTSAM_KERNELS_ISA_X86_H_

// Of a struct with the types Vector and Half: mm is _mm256 or _mm512, bits 256 or 512.
#define INTSAM_X86_OPERATIONS(mm, bits)                                                                       \
  static Vector Zero() { return mm##_setzero_si##bits(); }                                                    \
  static Vector Set16(int x) { return mm##_set1_epi16(static_cast<int16_t>(x)); }                             \
  static Vector Set32(int x) { return mm##_set1_epi32(x); }                                                   \
  static Vector And(Vector a, Vector b) { return mm##_and_si##bits(a, b); }                                   \
  static Vector Or(Vector a, Vector b) { return mm##_or_si##bits(a, b); }                                     \
  static Vector Add16(Vector a, Vector b) { return mm##_add_epi16(a, b); }                                    \
  static Vector Add32(Vector a, Vector b) { return mm##_add_epi32(a, b); }                                    \
  static Vector Add64(Vector a, Vector b) { return mm##_add_epi64(a, b); }                                    \
  static Vector Sub32(Vector a, Vector b) { return mm##_sub_epi32(a, b); }                                    \
  static Vector AddSaturated16(Vector a, Vector b) { return mm##_adds_epi16(a, b); }                          \
  static Vector AddSaturatedU16(Vector a, Vector b) { return mm##_adds_epu16(a, b); }                         \
  static Vector SubSaturatedU16(Vector a, Vector b) { return mm##_subs_epu16(a, b); }                         \
  static Vector AverageU16(Vector a, Vector b) { return mm##_avg_epu16(a, b); }                               \
  static Vector Abs16(Vector a) { return mm##_abs_epi16(a); }                                                 \
  static Vector Max16(Vector a, Vector b) { return mm##_max_epi16(a, b); }                                    \
  static Vector MinU16(Vector a, Vector b) { return mm##_min_epu16(a, b); }                                   \
  static Vector Max32(Vector a, Vector b) { return mm##_max_epi32(a, b); }                                    \
  static Vector MinU32(Vector a, Vector b) { return mm##_min_epu32(a, b); }                                   \
  static Vector Clamp32(Vector x, Vector lo, Vector hi) { return mm##_min_epi32(mm##_max_epi32(x, lo), hi); } \
  /* MRS, the high and the low half of products; MHU. */                                                      \
  static Vector MulRoundHigh16(Vector a, Vector b) { return mm##_mulhrs_epi16(a, b); }                        \
  static Vector MulHigh16(Vector a, Vector b) { return mm##_mulhi_epi16(a, b); }                              \
  static Vector MulLow16(Vector a, Vector b) { return mm##_mullo_epi16(a, b); }                               \
  static Vector MulHighU16(Vector a, Vector b) { return mm##_mulhi_epu16(a, b); }                             \
  /* Sums of two products of 16 bits; products of even lanes of 32 bits. */                                   \
  static Vector MulPairs16(Vector a, Vector b) { return mm##_madd_epi16(a, b); }                              \
  static Vector MulEven32(Vector a, Vector b) { return mm##_mul_epi32(a, b); }                                \
  /* By one count, or by one for each lane. */                                                                \
  static Vector ShiftLeft16(Vector a, __m128i count) { return mm##_sll_epi16(a, count); }                     \
  static Vector ShiftRight16(Vector a, __m128i count) { return mm##_sra_epi16(a, count); }                    \
  static Vector ShiftRightU16(Vector a, __m128i count) { return mm##_srl_epi16(a, count); }                   \
  static Vector ShiftLeft32(Vector a, __m128i count) { return mm##_sll_epi32(a, count); }                     \
  static Vector ShiftRight32(Vector a, __m128i count) { return mm##_sra_epi32(a, count); }                    \
  static Vector ShiftRightU32(Vector a, __m128i count) { return mm##_srl_epi32(a, count); }                   \
  static Vector ShiftLeft64(Vector a, __m128i count) { return mm##_sll_epi64(a, count); }                     \
  static Vector ShiftRightU64(Vector a, __m128i count) { return mm##_srl_epi64(a, count); }                   \
  static Vector ShiftLeftEach32(Vector a, Vector count) { return mm##_sllv_epi32(a, count); }                 \
  static Vector ShiftRightEach32(Vector a, Vector count) { return mm##_srav_epi32(a, count); }                \
  template <int kCount>                                                                                       \
  static Vector ShiftLeft16(Vector a) {                                                                       \
    return mm##_slli_epi16(a, kCount);                                                                        \
  }                                                                                                           \
  template <int kCount>                                                                                       \
  static Vector ShiftRight16(Vector a) {                                                                      \
    return mm##_srai_epi16(a, kCount);                                                                        \
  }                                                                                                           \
  template <int kCount>                                                                                       \
  static Vector ShiftRightU16(Vector a) {                                                                     \
    return mm##_srli_epi16(a, kCount);                                                                        \
  }                                                                                                           \
  template <int kCount>                                                                                       \
  static Vector ShiftLeft32(Vector a) {                                                                       \
    return mm##_slli_epi32(a, kCount);                                                                        \
  }                                                                                                           \
  template <int kCount>                                                                                       \
  static Vector ShiftRightU32(Vector a) {                                                                     \
    return mm##_srli_epi32(a, kCount);                                                                        \
  }                                                                                                           \
  template <int kCount>                                                                                       \
  static Vector ShiftRightU64(Vector a) {                                                                     \
    return mm##_srli_epi64(a, kCount);                                                                        \
  }                                                                                                           \
  /* Within each 16 bytes: packed with saturation (first's, then second's), interleaved, looked up. */        \
  static Vector Pack32(Vector first, Vector second) { return mm##_packs_epi32(first, second); }               \
  static Vector PackU32(Vector first, Vector second) { return mm##_packus_epi32(first, second); }             \
  static Vector InterleaveLow16(Vector a, Vector b) { return mm##_unpacklo_epi16(a, b); }                     \
  static Vector InterleaveHigh16(Vector a, Vector b) { return mm##_unpackhi_epi16(a, b); }                    \
  static Vector InterleaveLow8(Vector a, Vector b) { return mm##_unpacklo_epi8(a, b); }                       \
  static Vector InterleaveHigh8(Vector a, Vector b) { return mm##_unpackhi_epi8(a, b); }                      \
  static Vector LookUp8(Vector table, Vector index) { return mm##_shuffle_epi8(table, index); }

#endif  // INTSAM_KERNELS_ISA_X86_H_
