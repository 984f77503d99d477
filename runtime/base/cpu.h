// What the running CPU and operating system can execute.
#ifndef INTSAM_RUNTIME_BASE_CPU_H_
#define INTSAM_RUNTIME_BASE_CPU_H_

#include <string>
#include <string_view>

namespace intsam::internal {

// Whether kernels of this tier (the name of a Kernels table) can run here. "scalar" always can.
bool CpuSupports(std::string_view tier);

// How many threads this process may run at a time, at least 1: the CPUs of its affinity mask, or fewer where a cgroup
// (either version, of this process or above it) grants it less time than they have. More threads than that only wait
// for each other. `root`: where /proc and /sys are found, for tests.
int AvailableThreads(const std::string& root = "");

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_CPU_H_
