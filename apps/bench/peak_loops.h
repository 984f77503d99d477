// The loops of peak.h, one source per instruction set because each needs compiler flags of its own.
#ifndef INTSAM_APPS_BENCH_PEAK_LOOPS_H_
#define INTSAM_APPS_BENCH_PEAK_LOOPS_H_

#include <span>

#include "apps/bench/peak.h"

namespace intsam::internal {

std::span<const PeakLoop> Avx2PeakLoops();
std::span<const PeakLoop> AvxVnniPeakLoops();
std::span<const PeakLoop> Avx512PeakLoops();
std::span<const PeakLoop> AmxPeakLoops();

// `kSums` independent sums, so that latency is hidden; the empty assembly makes every product one of its own and
// itself costs nothing. Step: sum = step(sum, a, b).
template <int kSums, class Vector, class Step>
inline void RegisterLoop(uint64_t iterations, Vector a, Vector b, Step step) {
  Vector sums[kSums];
#pragma GCC unroll 32
  for (int j = 0; j < kSums; ++j) sums[j] = Vector{};
  for (uint64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 32
    for (int j = 0; j < kSums; ++j) {
      asm volatile("" : "+x"(a));
      sums[j] = step(sums[j], a, b);
    }
  }
#pragma GCC unroll 32
  for (int j = 0; j < kSums; ++j) asm volatile("" ::"x"(sums[j]));
}

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_PEAK_LOOPS_H_
