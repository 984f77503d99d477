// AVX2 product of hypernetwork outputs and upscaled features (docs/numerics.md, section 11): VPMADDWD along the
// channels of eight pixels, whose sums are then brought into one register.
#include <algorithm>

#include "kernels/isa/avx2.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace avx2;

constexpr int kMaxChannels = 32;

// kVectors * 16 channels, zero in `hyper` from the pixel's last one on.
template <int kVectors>
void Masks(const MaskProduct& m) {
  const size_t channels = static_cast<size_t>(m.channels);
  for (int i = 0; i < m.masks; ++i) {
    int16_t padded[kMaxChannels] = {};
    std::copy_n(m.hyper + static_cast<size_t>(i) * channels, channels, padded);
    __m256i hyper[kVectors];
    for (int v = 0; v < kVectors; ++v) hyper[v] = Load(padded + 16 * v);
    const Rq32Lanes rq = MakeRq32Lanes(m.rq.mult[i], m.rq.shift[i]);
    int16_t* out = m.out + static_cast<size_t>(i) * m.out_stride;
    ForEachVector<8>(m.pixels, [&](int x, int count) {
      __m256i sums[8];
#pragma GCC unroll 8
      for (int lane = 0; lane < 8; ++lane) {
        const int16_t* u = m.upscaled + static_cast<size_t>(x + std::min(lane, count - 1)) * channels;
        sums[lane] = _mm256_madd_epi16(hyper[0], Load(u));
        if constexpr (kVectors == 2) {
          sums[lane] = _mm256_add_epi32(sums[lane], _mm256_madd_epi16(hyper[1], Load(u + 16)));
        }
      }
      const __m256i y = Clamp32(Apply(rq, SumEach(sums)), _mm256_set1_epi32(-32767), _mm256_set1_epi32(32767));
      StoreFirst(out + x, _mm_packs_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1)), count);
    });
  }
}

void Avx2MaskProduct(const MaskProduct& m) { m.channels > 16 ? Masks<2>(m) : Masks<1>(m); }

}  // namespace

void FillMaskProductAvx2(Kernels& k) { k.mask_product = Avx2MaskProduct; }

}  // namespace intsam::internal
