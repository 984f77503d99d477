#include <immintrin.h>

#include "apps/bench/peak_loops.h"
#include "runtime/base/cpu.h"

namespace intsam::internal {
namespace {

constexpr int kSums = 24;

bool HasWords() { return __builtin_cpu_supports("avx512bw"); }  // no kernel tier asks for that alone
bool HasVnni() { return CpuSupports("avx512vnni"); }

void Words(uint64_t iterations) {
  RegisterLoop<kSums>(iterations, _mm512_set1_epi16(3), _mm512_set1_epi16(5),
                      [](__m512i sum, __m512i a, __m512i b) { return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b)); });
}

void VnniWords(uint64_t iterations) {
  RegisterLoop<kSums>(iterations, _mm512_set1_epi16(3), _mm512_set1_epi16(5),
                      [](__m512i sum, __m512i a, __m512i b) { return _mm512_dpwssd_epi32(sum, a, b); });
}

void VnniBytes(uint64_t iterations) {
  RegisterLoop<kSums>(iterations, _mm512_set1_epi8(3), _mm512_set1_epi8(5),
                      [](__m512i sum, __m512i a, __m512i b) { return _mm512_dpbusd_epi32(sum, a, b); });
}

constexpr PeakLoop kLoops[] = {
    {"avx512", "vpmaddwd+vpaddd zmm", 16, 32 * kSums, HasWords, Words},
    {"avx512vnni", "vpdpwssd zmm", 16, 32 * kSums, HasVnni, VnniWords},
    {"avx512vnni", "vpdpbusd zmm", 8, 64 * kSums, HasVnni, VnniBytes},
};

}  // namespace

std::span<const PeakLoop> Avx512PeakLoops() { return kLoops; }

}  // namespace intsam::internal
