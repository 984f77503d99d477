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

namespace intsam::emulation {

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

// Every lane of the result from the same lane of the operands.
template <typename T, typename Result, typename R, typename Vector, typename F, typename... More>
static inline Result Map(F f, const Vector& x, const More&... more) {
  const Lanes<T, Vector> in(x);
  Lanes<R, Result> out;
  for (int i = 0; i < out.kCount; ++i) out.lane[i] = static_cast<R>(f(in.lane[i], Lanes<T, More>(more).lane[i]...));
  return out.vector();
}

static inline __m512i CvtEpi32ToEpi64(__m256i x) {
  return Map<int32_t, __m512i, int64_t>([](int32_t v) { return v; }, x);
}
#undef _mm512_cvtepi32_epi64
#define _mm512_cvtepi32_epi64 intsam::emulation::CvtEpi32ToEpi64

}  // namespace intsam::emulation

// AVX-VNNI: the same operations, encoded differently.
#undef _mm256_dpbusd_avx_epi32
#define _mm256_dpbusd_avx_epi32 simde_mm256_dpbusd_epi32
#undef _mm256_dpwssd_avx_epi32
#define _mm256_dpwssd_avx_epi32 simde_mm256_dpwssd_epi32

#endif  // INTSAM_TESTS_KERNELS_EMULATION_INTRINSICS_H_
