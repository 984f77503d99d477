#include "apps/bench/peak.h"

#include <algorithm>

#include "apps/bench/measure.h"
#include "apps/bench/peak_loops.h"

namespace intsam::internal {
namespace {

// Timings are long against the clock and short against the time slices of a busy machine; the best one counts, because
// a peak is what is possible.
constexpr double kLeastSeconds = 0.002;
constexpr int kTimings = 40;

double GMacPerSecond(const PeakLoop& loop) {
  uint64_t iterations = 1 << 12;
  double seconds = 0;
  while ((seconds = Seconds([&] { loop.run(iterations); })) < kLeastSeconds) iterations *= 2;
  for (int i = 0; i < kTimings; ++i) seconds = std::min(seconds, Seconds([&] { loop.run(iterations); }));
  return static_cast<double>(iterations * loop.macs) * 1e-9 / seconds;
}

}  // namespace

std::vector<Peak> MeasurePeaks() {
  std::vector<Peak> peaks;
  [[maybe_unused]] const auto measure = [&](std::span<const PeakLoop> loops) {
    for (const PeakLoop& loop : loops) {
      if (loop.supported()) peaks.push_back({&loop, GMacPerSecond(loop)});
    }
  };
#if defined(INTSAM_PEAK_AVX2)
  measure(Avx2PeakLoops());
#endif
#if defined(INTSAM_PEAK_AVXVNNI)
  measure(AvxVnniPeakLoops());
#endif
#if defined(INTSAM_PEAK_AVX512)
  measure(Avx512PeakLoops());
#endif
#if defined(INTSAM_PEAK_AMX)
  measure(AmxPeakLoops());
#endif
  return peaks;
}

}  // namespace intsam::internal
