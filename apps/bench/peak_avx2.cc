// VPMADDUBSW saturates in 16 bits: with the pair sums of full 8-bit operands it is exact only in the sign trick, whose
// VPSIGNB is not counted here, and the sums of the last loop must be widened before they overflow. Both are ceilings.
#include <immintrin.h>

#include "apps/bench/peak_loops.h"
#include "runtime/base/cpu.h"

namespace intsam::internal {
namespace {

constexpr int kSums = 12;

bool Supported() { return CpuSupports("avx2"); }

void Words(uint64_t iterations) {
  RegisterLoop<kSums>(iterations, _mm256_set1_epi16(3), _mm256_set1_epi16(5),
                      [](__m256i sum, __m256i a, __m256i b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); });
}

void Bytes(uint64_t iterations) {
  const __m256i ones = _mm256_set1_epi16(1);
  RegisterLoop<kSums>(iterations, _mm256_set1_epi8(3), _mm256_set1_epi8(5), [&](__m256i sum, __m256i a, __m256i b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
  });
}

void NarrowBytes(uint64_t iterations) {
  RegisterLoop<kSums>(iterations, _mm256_set1_epi8(3), _mm256_set1_epi8(5), [](__m256i sum, __m256i a, __m256i b) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, b));
  });
}

constexpr PeakLoop kLoops[] = {
    {"avx2", "vpmaddwd+vpaddd", 16, 16 * kSums, Supported, Words},
    {"avx2", "vpmaddubsw+vpmaddwd+vpaddd", 8, 32 * kSums, Supported, Bytes},
    {"avx2", "vpmaddubsw+vpaddw", 8, 32 * kSums, Supported, NarrowBytes},
};

}  // namespace

std::span<const PeakLoop> Avx2PeakLoops() { return kLoops; }

}  // namespace intsam::internal
