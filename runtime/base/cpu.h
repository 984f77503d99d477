// What the running CPU and operating system can execute.
#ifndef INTSAM_RUNTIME_BASE_CPU_H_
#define INTSAM_RUNTIME_BASE_CPU_H_

#include <string_view>

namespace intsam::internal {

// Whether kernels of this tier (the name of a Kernels table) can run here. "scalar" always can.
bool CpuSupports(std::string_view tier);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_CPU_H_
