// What one core's multiply instructions can do at most, measured by loops that touch registers alone. The ceiling that
// the table of operations compares with; no kernel can be faster on this machine.
#ifndef INTSAM_APPS_BENCH_PEAK_H_
#define INTSAM_APPS_BENCH_PEAK_H_

#include <cstdint>
#include <vector>

namespace intsam::internal {

// A sequence of instructions that multiplies and accumulates.
struct PeakLoop {
  const char* tier;          // the kernel tier that may use it, as in INTSAM_ISA
  const char* instructions;  // joined by '+'
  int operand_bits;          // of both operands
  uint64_t macs;             // of one iteration
  bool (*supported)();       // by the running CPU and operating system
  void (*run)(uint64_t iterations);
};

struct Peak {
  const PeakLoop* loop;
  double gmac_per_s;
};

// Of the sequences that this CPU supports; takes some tenths of a second.
std::vector<Peak> MeasurePeaks();

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_PEAK_H_
