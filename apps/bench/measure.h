// Timing and memory, measured fairly: samples with medians, children whose peak memory is their own.
#ifndef INTSAM_APPS_BENCH_MEASURE_H_
#define INTSAM_APPS_BENCH_MEASURE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

struct Samples {
  std::vector<double> seconds;
  double Median() const;
  double Spread() const;  // largest minus smallest, relative to the median
};

// Wall time of one call.
double Seconds(const std::function<void()>& call);

// Runs `body` in a forked child and returns the child's peak resident set in MiB. Call it before this process has
// threads or large buffers, which a child would inherit. The child's error is passed on as kInternal with its message.
Result<double> PeakMiBOfChild(const std::function<Status()>& body);

// "model name" of /proc/cpuinfo, or the machine's architecture.
std::string CpuName();

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_MEASURE_H_
