#include "runtime/base/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) || defined(__arm__)
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#endif

namespace intsam::internal {

#if defined(__x86_64__)
namespace {

// The compiler's own question includes the operating system's consent to ymm and zmm registers; it is asked for the
// features that every compiler knows, CPUID for the rest.
bool HasAvx512vnni() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}

bool HasAvxvnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}

// Linux gives tile registers to processes that ask for them (their state is 8 KiB more in every signal frame).
bool MayUseTiles() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

bool HasAmx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c >> 27 & 1) == 0) return false;  // OSXSAVE: XGETBV exists
  uint32_t enabled = 0, high = 0;
  __asm__("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
  if ((enabled >> 17 & 3) != 3) return false;  // tile configuration and tile data
  const bool tiles_of_s8 = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 24 & 3) == 3;
  return tiles_of_s8 && HasAvx512vnni() && MayUseTiles();
}

}  // namespace
#elif defined(__aarch64__)
namespace {

#if defined(__linux__)  // Android too
// Bits of the kernel's ABI (asm/hwcap.h), spelled here because C libraries differ in which they know.
bool HasDotprod() { return (getauxval(AT_HWCAP) >> 20 & 1) != 0; }  // HWCAP_ASIMDDP
bool HasI8mm() { return (getauxval(AT_HWCAP2) >> 13 & 1) != 0; }    // HWCAP2_I8MM
#elif defined(__APPLE__)
bool HasFeature(const char* name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}
bool HasDotprod() { return HasFeature("hw.optional.arm.FEAT_DotProd"); }
bool HasI8mm() { return HasFeature("hw.optional.arm.FEAT_I8MM"); }
#else
bool HasDotprod() { return false; }
bool HasI8mm() { return false; }
#endif

}  // namespace
#elif defined(__arm__)
namespace {

#if defined(__linux__)
bool HasNeon() { return (getauxval(AT_HWCAP) >> 12 & 1) != 0; }  // HWCAP_NEON
#else
bool HasNeon() { return false; }
#endif

}  // namespace
#endif

bool CpuSupports(std::string_view tier) {
  if (tier == "scalar") return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (tier == "avx2") return __builtin_cpu_supports("avx2");
  if (tier == "avxvnni") return HasAvxvnni();
  if (tier == "avx512vnni") return HasAvx512vnni();
  if (tier == "amx") {
    static const bool amx = HasAmx();
    return amx;
  }
#elif defined(__aarch64__)
  if (tier == "neon") return true;
  if (tier == "dotprod") return HasDotprod();
  if (tier == "i8mm") return HasI8mm();
#elif defined(__arm__)
  if (tier == "neon") return HasNeon();
#elif defined(__wasm__)
  if (tier == "simd128") return true;  // else the engine would not have loaded this
#endif
  return false;
}

}  // namespace intsam::internal
