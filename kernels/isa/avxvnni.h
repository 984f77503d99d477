// The 256-bit vectors of the avxvnni tier, as the templates of gemm/ and nn/ want them. Only for files compiled with
// -mavxvnni.
#ifndef INTSAM_KERNELS_ISA_AVXVNNI_H_
#define INTSAM_KERNELS_ISA_AVXVNNI_H_

#include "kernels/isa/avx2.h"
#include "kernels/isa/intrinsics_x86.h"
#include "kernels/kernels.h"
#include "kernels/numerics/packed_weights.h"

namespace intsam::internal {
namespace {  // a type of this file alone: so are the instances of the templates

struct YmmVnni : Ymm {
  static constexpr int kGemmRows = 6, kGemmPanels = 1;  // as many sums as kMixRows, which cover latency 5 twice a cycle

  // Sums of four products u8 x s8, of two s16 x s16, per s32 lane. Neither saturates.
  static Vector DotBytes(Vector sum, Vector u, Vector s) { return _mm256_dpbusd_avx_epi32(sum, u, s); }
  static Vector DotWords(Vector sum, Vector x, Vector y) { return _mm256_dpwssd_avx_epi32(sum, x, y); }
  // `depth` k of a packed panel to s8.
  template <int kBits>
  static void ExpandPanel(const uint8_t* packed, const uint8_t* zero, int depth, int8_t* out) {
    const __m128i zeros = avx2::LoadHalf(zero);  // each four times, for the four k of a channel
    const auto four = [&](int channel) {
      const __m128i order = _mm_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
      return _mm_shuffle_epi8(zeros, _mm_add_epi8(order, _mm_set1_epi8(static_cast<char>(channel))));
    };
    const __m256i zero_left = _mm256_set_m128i(four(4), four(0)), zero_right = _mm256_set_m128i(four(12), four(8));
    for (int i = 0; i < depth * kPanel; i += kGroup, packed += GroupBytes(kBits)) {
      const avx2::CodesOfGroup u = avx2::Unpack<kBits>(packed);
      Store(out + i, _mm256_sub_epi8(u.left, zero_left));
      Store(out + i + 32, _mm256_sub_epi8(u.right, zero_right));
    }
  }
};

}  // namespace
}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_ISA_AVXVNNI_H_
