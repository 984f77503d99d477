// Helpers shared by the AVX-512 sources: loads, masked tails, the vectors that the templates of gemm/gemm_vnni.h and
// nn/mix_vnni.h want. Only for files compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni.
//
// Everything here has internal linkage, as in kernels/numerics. Inputs are read up to kPadBytes past the end, which is
// one whole vector; a mask keeps outputs within their last element.
#ifndef INTSAM_KERNELS_NN_AVX512_COMMON_H_
#define INTSAM_KERNELS_NN_AVX512_COMMON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/nn/avx2_common.h"
#include "kernels/nn/intrinsics_x86.h"

namespace intsam {
namespace avx512 {

static inline __m512i Load(const void* p) { return _mm512_loadu_si512(p); }
static inline void Store(void* p, __m512i v) { _mm512_storeu_si512(p, v); }

// The first min(count, lanes) lanes, count >= 0.
template <typename Mask>
static inline Mask FirstLanes(ptrdiff_t count) {
  constexpr int kLanes = 8 * static_cast<int>(sizeof(Mask));
  return count >= kLanes ? static_cast<Mask>(~Mask{0}) : static_cast<Mask>((uint64_t{1} << count) - 1);
}

}  // namespace avx512

namespace {  // a type of this file alone: so are the instances of the templates

struct Zmm {
  using Vector = __m512i;
  static constexpr int kLanes = 16;  // s32
  // Tiles: 24 (GEMM) and 16 (mix, whose values of a block stay in L1) of the 32 registers hold sums; 10 hide the
  // latency of two instructions a cycle.
  static constexpr int kGemmRows = 6, kGemmPanels = 4;
  static constexpr int kMixRows = 8, kMixVectors = 2;

  static Vector Load(const void* p) { return avx512::Load(p); }
  static void Store(void* p, Vector v) { avx512::Store(p, v); }
  static Vector Zero() { return _mm512_setzero_si512(); }
  static Vector Broadcast32(const void* p) {
    int32_t value;
    std::memcpy(&value, p, sizeof value);
    return _mm512_set1_epi32(value);
  }
  // Sums of four products u8 x s8, of two s16 x s16, per s32 lane. Neither saturates.
  static Vector DotBytes(Vector sum, Vector u, Vector s) { return _mm512_dpbusd_epi32(sum, u, s); }
  static Vector DotWords(Vector sum, Vector x, Vector y) { return _mm512_dpwssd_epi32(sum, x, y); }
  // Adds the lanes to as many s64, or starts the sums with them.
  static void Accumulate(int64_t* out, Vector v, bool start) {
    const auto half = [&](int64_t* to, __m256i eight) {
      const __m512i wide = _mm512_cvtepi32_epi64(eight);
      Store(to, start ? wide : _mm512_add_epi64(wide, Load(to)));
    };
    half(out, _mm512_castsi512_si256(v));
    half(out + 8, _mm512_extracti64x4_epi64(v, 1));
  }
};

}  // namespace
}  // namespace intsam

#endif  // INTSAM_KERNELS_NN_AVX512_COMMON_H_
