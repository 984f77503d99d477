// AVX-512 attention around the two products (docs/numerics.md, sections 6 and 7): the mix, its output codes, relative
// positions. The softmax between them is softmax_avx512vnni.cc; packing is AVX2's.
#include <algorithm>

#include "kernels/isa/avx512.h"
#include "kernels/nn/mix_vnni.h"
#include "kernels/nn/relative_position_x86.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx512;

// ---------------------------------------------------------------- output codes

// N to the output value: RSH(RSH(N, pre) * mult, end), saturated to s32, which no code needs.
class OutputScale {
 public:
  OutputScale(int pre_shift, int64_t mult, int shift)
      : pre_half_(Half(pre_shift)),
        end_half_(Half(std::min(shift, 62))),
        mult_(_mm512_set1_epi64(mult)),
        pre_(_mm_cvtsi32_si128(pre_shift)),
        end_(_mm_cvtsi32_si128(std::min(shift, 62))) {}

  // |N1| < 2^31, so the product is one VPMULDQ.
  __m256i Value(__m512i n) const {
    const __m512i n1 = _mm512_sra_epi64(_mm512_add_epi64(n, pre_half_), pre_);
    return _mm512_cvtsepi64_epi32(_mm512_sra_epi64(_mm512_add_epi64(_mm512_mul_epi32(n1, mult_), end_half_), end_));
  }

 private:
  static __m512i Half(int shift) { return _mm512_set1_epi64(shift == 0 ? 0 : int64_t{1} << (shift - 1)); }

  __m512i pre_half_, end_half_, mult_;
  __m128i pre_, end_;
};

OutputScale ScaleOfRow(const AttentionOutput& a, int row) {
  if (a.sum == nullptr) return {a.pre_shift, a.mult, a.shift};
  const AttentionDivisor divisor = AttentionDivisorOf(static_cast<uint32_t>(a.sum[row]), a.mult, a.shift);
  return {divisor.pre_shift, divisor.reciprocal, divisor.shift};
}

void Avx512AttentionOutput(const AttentionOutput& a) {
  const __m256i lo = _mm256_set1_epi32(a.lo), hi = _mm256_set1_epi32(a.hi), zero = _mm256_set1_epi32(a.zero);
  const __m128i flip = _mm_set1_epi8(static_cast<char>(a.flip));
  for (int i = 0; i < a.rows; ++i) {
    const OutputScale scale = ScaleOfRow(a, i);
    const int64_t* n = a.n + static_cast<size_t>(i) * static_cast<size_t>(a.d);
    uint8_t* out = a.out + static_cast<size_t>(i) * a.out_stride;
    ForEachVector<8>(a.d, [&](int c, int count) {
      const __m256i value = _mm256_min_epi32(_mm256_max_epi32(scale.Value(Load(n + c)), lo), hi);
      const __m128i codes = _mm_xor_si128(_mm256_cvtepi32_epi8(_mm256_add_epi32(value, zero)), flip);
      if (count == 8) return _mm_storel_epi64(reinterpret_cast<__m128i*>(out + c), codes);
      _mm_mask_storeu_epi8(out + c, FirstLanes<__mmask16>(count), codes);
    });
  }
}

}  // namespace

void Avx512vnniAttentionMix(const AttentionMix& m) { vnni::Mix<Zmm>(m); }

void FillAttentionAvx512vnni(Kernels& k) {
  k.attention_mix = Avx512vnniAttentionMix;
  k.attention_output = Avx512AttentionOutput;
  k.relative_position = x86::RelativePositions<Zmm>;
}

}  // namespace intsam::internal
