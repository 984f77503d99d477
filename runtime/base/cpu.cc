#include "runtime/base/cpu.h"

namespace intsam {

bool CpuSupports(std::string_view tier) {
  if (tier == "scalar") return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (tier == "avx2") return __builtin_cpu_supports("avx2");
#endif
  return false;
}

}  // namespace intsam
