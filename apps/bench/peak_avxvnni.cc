#include <cpuid.h>
#include <immintrin.h>

#include "apps/bench/peak_loops.h"

namespace intsam {
namespace {

constexpr int kSums = 12;

// Leaf 7, subleaf 1, EAX bit 4: older compilers have no name for it. AVX2 says that the system saves the registers.
bool Supported() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}

void Bytes(uint64_t iterations) {
  RegisterLoop<kSums>(iterations, _mm256_set1_epi8(3), _mm256_set1_epi8(5),
                      [](__m256i sum, __m256i a, __m256i b) { return _mm256_dpbusd_avx_epi32(sum, a, b); });
}

void Words(uint64_t iterations) {
  RegisterLoop<kSums>(iterations, _mm256_set1_epi16(3), _mm256_set1_epi16(5),
                      [](__m256i sum, __m256i a, __m256i b) { return _mm256_dpwssd_avx_epi32(sum, a, b); });
}

constexpr PeakLoop kLoops[] = {
    {"avxvnni", "vpdpwssd ymm", 16, 16 * kSums, Supported, Words},
    {"avxvnni", "vpdpbusd ymm", 8, 32 * kSums, Supported, Bytes},
};

}  // namespace

std::span<const PeakLoop> AvxVnniPeakLoops() { return kLoops; }

}  // namespace intsam
