#include <immintrin.h>

#include "apps/bench/peak_loops.h"
#include "runtime/base/cpu.h"

namespace intsam::internal {
namespace {

constexpr int kSums = 12;

bool Supported() { return CpuSupports("avxvnni"); }

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

}  // namespace intsam::internal
