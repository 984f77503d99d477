// AVX-512, AVX-VNNI and AMX intrinsics for CPUs without them. SIMDe has most; what the kernels use beyond it follows, a
// plain loop each.
#ifndef INTSAM_TESTS_KERNELS_EMULATION_INTRINSICS_H_
#define INTSAM_TESTS_KERNELS_EMULATION_INTRINSICS_H_

#include "tests/kernels/emulation/amx.h"

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>

#include <cstdint>
#include <cstring>

namespace intsam::internal::emulation {

// The lanes of a vector as an array, and back.
template <typename T, typename Vector>
struct Lanes {
  static constexpr int kCount = static_cast<int>(sizeof(Vector) / sizeof(T));
  T lane[kCount];
  Lanes() = default;
  explicit Lanes(const Vector& v) { std::memcpy(lane, &v, sizeof lane); }
  Vector vector() const {
    Vector v;
    std::memcpy(&v, lane, sizeof v);
    return v;
  }
};

// Lanes of type R, each f of the lanes of type T of the operands at its place.
template <typename Result, typename R, typename T, typename F, typename Vector, typename... More>
static inline Result Map(F f, const Vector& x, const More&... more) {
  Lanes<R, Result> out{};
  for (int i = 0; i < out.kCount && i < Lanes<T, Vector>::kCount; ++i) {
    out.lane[i] = static_cast<R>(f(Lanes<T, Vector>(x).lane[i], Lanes<T, More>(more).lane[i]...));
  }
  return out.vector();
}

// A mask, one bit a lane.
template <typename Mask, typename T, typename F>
static inline Mask MapToMask(F f, const __m512i& x, const __m512i& y) {
  const Lanes<T, __m512i> a(x), b(y);
  uint64_t mask = 0;
  for (int i = 0; i < a.kCount; ++i) mask |= uint64_t{f(a.lane[i], b.lane[i])} << i;
  return static_cast<Mask>(mask);
}

// Lanes of the other operand or of memory where the mask has ones. Others of memory are not touched.
template <typename T, typename Vector>
static inline Vector MaskLoad(const Vector& source, uint64_t mask, const void* p) {
  Lanes<T, Vector> out(source);
  for (int i = 0; i < out.kCount; ++i) {
    if (mask >> i & 1) std::memcpy(&out.lane[i], static_cast<const T*>(p) + i, sizeof(T));
  }
  return out.vector();
}
template <typename T, typename Vector>
static inline void MaskStore(void* p, uint64_t mask, const Vector& v) {
  const Lanes<T, Vector> in(v);
  for (int i = 0; i < in.kCount; ++i) {
    if (mask >> i & 1) std::memcpy(static_cast<T*>(p) + i, &in.lane[i], sizeof(T));
  }
}

template <typename T>
static inline T Reduce(T (*f)(T, T), const __m512i& v) {
  const Lanes<T, __m512i> in(v);
  T result = in.lane[0];
  for (int i = 1; i < in.kCount; ++i) result = f(result, in.lane[i]);
  return result;
}

// Arithmetic right shifts; counts beyond the width leave copies of the sign.
template <typename T>
static inline T ShiftRight(T x, uint64_t count) {
  return static_cast<T>(x >> (count < 8 * sizeof(T) ? count : 8 * sizeof(T) - 1));
}
static inline uint64_t CountOf(__m128i count) { return Lanes<uint64_t, __m128i>(count).lane[0]; }

static inline int32_t Or(int32_t a, int32_t b) { return a | b; }
static inline int32_t Larger(int32_t a, int32_t b) { return a > b ? a : b; }
template <typename T>
static inline T Sum(T a, T b) {
  return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

static inline __m512i Sra32(__m512i x, __m128i count) {
  return Map<__m512i, int32_t, int32_t>([=](int32_t v) { return ShiftRight(v, CountOf(count)); }, x);
}
static inline __m512i Sra64(__m512i x, __m128i count) {
  return Map<__m512i, int64_t, int64_t>([=](int64_t v) { return ShiftRight(v, CountOf(count)); }, x);
}
static inline __m512i Srav32(__m512i x, __m512i counts) {
  return Map<__m512i, int32_t, int32_t>([](int32_t v, int32_t s) { return ShiftRight(v, static_cast<uint32_t>(s)); }, x,
                                        counts);
}
static inline __m512i Srav64(__m512i x, __m512i counts) {
  return Map<__m512i, int64_t, int64_t>([](int64_t v, int64_t s) { return ShiftRight(v, static_cast<uint64_t>(s)); }, x,
                                        counts);
}
static inline __m512i MulHighUnsigned16(__m512i x, __m512i y) {
  return Map<__m512i, uint16_t, uint16_t>([](uint32_t a, uint32_t b) { return a * b >> 16; }, x, y);
}
static inline __m512i MaskSub16(__m512i source, __mmask32 mask, __m512i x, __m512i y) {
  return simde_mm512_mask_mov_epi16(source, mask, simde_mm512_sub_epi16(x, y));
}
static inline __mmask32 CompareEqual16(__m512i x, __m512i y) {
  return MapToMask<__mmask32, int16_t>([](int a, int b) { return a == b; }, x, y);
}
static inline __mmask32 CompareGreater16(__m512i x, __m512i y) {
  return MapToMask<__mmask32, int16_t>([](int a, int b) { return a > b; }, x, y);
}

// Result lane i from operand lane i, extended or truncated.
template <typename Result, typename R, typename T, typename Vector>
static inline Result Convert(Vector x) {
  return Map<Result, R, T>([](T v) { return v; }, x);
}

}  // namespace intsam::internal::emulation

#undef _mm512_maskz_loadu_epi64
#undef _mm512_mask_storeu_epi64
#undef _mm512_reduce_or_epi32
#undef _mm512_sra_epi32
#undef _mm512_sra_epi64
#undef _mm512_srav_epi32
#undef _mm512_srav_epi64
#undef _mm512_mulhi_epu16
#undef _mm512_madd_epi16
#undef _mm512_mask_sub_epi16
#undef _mm512_cmpeq_epi16_mask
#undef _mm512_cmpgt_epi16_mask
#undef _mm512_cvtepi32_epi64
#undef _mm512_cvtepi16_epi32
#undef _mm512_cvtepu8_epi32
#undef _mm512_cvtepi32_epi16
#undef _mm256_cvtepi32_epi8
#undef _mm512_mask_loadu_epi32
#undef _mm512_maskz_loadu_epi32
#undef _mm512_mask_storeu_epi32
#undef _mm512_mask_storeu_epi16
#undef _mm256_mask_storeu_epi16
#undef _mm256_mask_storeu_epi8
#undef _mm_mask_storeu_epi8
#define _mm512_sra_epi32 intsam::internal::emulation::Sra32
#define _mm512_sra_epi64 intsam::internal::emulation::Sra64
#define _mm512_srav_epi32 intsam::internal::emulation::Srav32
#define _mm512_srav_epi64 intsam::internal::emulation::Srav64
#define _mm512_madd_epi16 simde_mm512_madd_epi16  // whose alias SIMDe 0.7.4 gives to another
#define _mm512_mulhi_epu16 intsam::internal::emulation::MulHighUnsigned16
#define _mm512_mask_sub_epi16 intsam::internal::emulation::MaskSub16
#define _mm512_cmpeq_epi16_mask intsam::internal::emulation::CompareEqual16
#define _mm512_cmpgt_epi16_mask intsam::internal::emulation::CompareGreater16
#define _mm512_cvtepi32_epi64(x) (intsam::internal::emulation::Convert<__m512i, int64_t, int32_t, __m256i>(x))
#define _mm512_cvtepi16_epi32(x) (intsam::internal::emulation::Convert<__m512i, int32_t, int16_t, __m256i>(x))
#define _mm512_cvtepu8_epi32(x) (intsam::internal::emulation::Convert<__m512i, int32_t, uint8_t, __m128i>(x))
#define _mm512_cvtepi32_epi16(x) (intsam::internal::emulation::Convert<__m256i, int16_t, int32_t, __m512i>(x))
#define _mm256_cvtepi32_epi8(x) (intsam::internal::emulation::Convert<__m128i, int8_t, int32_t, __m256i>(x))
#define _mm512_mask_loadu_epi32(source, mask, p) intsam::internal::emulation::MaskLoad<int32_t>(source, mask, p)
#define _mm512_maskz_loadu_epi64(mask, p) \
  intsam::internal::emulation::MaskLoad<int64_t>(simde_mm512_setzero_si512(), mask, p)
#define _mm512_maskz_loadu_epi32(mask, p) _mm512_mask_loadu_epi32(simde_mm512_setzero_si512(), mask, p)
#define _mm512_mask_storeu_epi64 intsam::internal::emulation::MaskStore<int64_t, __m512i>
#define _mm512_mask_storeu_epi32 intsam::internal::emulation::MaskStore<int32_t, __m512i>
#define _mm512_mask_storeu_epi16 intsam::internal::emulation::MaskStore<int16_t, __m512i>
#define _mm256_mask_storeu_epi16 intsam::internal::emulation::MaskStore<int16_t, __m256i>
#define _mm256_mask_storeu_epi8 intsam::internal::emulation::MaskStore<int8_t, __m256i>
#define _mm_mask_storeu_epi8 intsam::internal::emulation::MaskStore<int8_t, __m128i>
#undef _mm512_reduce_max_epi32
#undef _mm512_reduce_add_epi32
#undef _mm512_reduce_add_epi64
#define _mm512_reduce_or_epi32(v) intsam::internal::emulation::Reduce<int32_t>(intsam::internal::emulation::Or, v)
#define _mm512_reduce_max_epi32(v) intsam::internal::emulation::Reduce<int32_t>(intsam::internal::emulation::Larger, v)
#define _mm512_reduce_add_epi32(v) \
  intsam::internal::emulation::Reduce<int32_t>(intsam::internal::emulation::Sum<int32_t>, v)
#define _mm512_reduce_add_epi64(v) \
  intsam::internal::emulation::Reduce<int64_t>(intsam::internal::emulation::Sum<int64_t>, v)

// AVX-VNNI: the same operations, encoded differently.
#undef _mm256_dpbusd_avx_epi32
#define _mm256_dpbusd_avx_epi32 simde_mm256_dpbusd_epi32
#undef _mm256_dpwssd_avx_epi32
#define _mm256_dpwssd_avx_epi32 simde_mm256_dpwssd_epi32

#endif  // INTSAM_TESTS_KERNELS_EMULATION_INTRINSICS_H_
