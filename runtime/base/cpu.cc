#include "runtime/base/cpu.h"

#include <algorithm>
#include <cstdint>
#include <thread>

#if defined(__linux__)
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <vector>
#endif

#if defined(__x86_64__)
#include <cpuid.h>
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
  if (tier == "simd128" || tier == "simd128dot") return true;  // else the engine would not have loaded this
#endif
  return false;
}

#if defined(__linux__)
namespace {

// 0: unknown.
int CpusOfAffinityMask() {
  // The kernel refuses a mask that is smaller than its own, whose size it tells nobody.
  for (size_t words = 16; words <= 4096; words *= 2) {
    std::vector<unsigned long> mask(words);
    const size_t bytes = words * sizeof mask[0];
    auto* set = reinterpret_cast<cpu_set_t*>(mask.data());
    if (sched_getaffinity(0, bytes, set) == 0) return CPU_COUNT_S(bytes, set);
  }
  return 0;
}

// "" where there is no such file.
std::string FirstLine(const std::string& path) {
  char line[256] = "";
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return "";
  if (std::fgets(line, sizeof line, file) == nullptr) line[0] = 0;
  std::fclose(file);
  return line;
}

// CPUs that `quota` microseconds in every `period` amount to, rounded up; INT64_MAX: no limit ("max" and -1).
int64_t CpusOfQuota(const char* quota, const char* period) {
  const int64_t time = std::strtoll(quota, nullptr, 10), of = std::strtoll(period, nullptr, 10);
  return time <= 0 || of <= 0 ? INT64_MAX : time / of + (time % of != 0);
}

// The least that a group and those around it grant: `mount` is the hierarchy's root, `group` starts with a slash.
int64_t CpusOfGroup(const std::string& mount, std::string group) {
  int64_t cpus = INT64_MAX;
  while (true) {
    const std::string folder = mount + group;
    const std::string both = FirstLine(folder + "/cpu.max");  // version 2: "QUOTA PERIOD"
    const size_t space = both.find(' ');
    cpus = space != std::string::npos ? std::min(cpus, CpusOfQuota(both.c_str(), both.c_str() + space))
                                      : std::min(cpus, CpusOfQuota(FirstLine(folder + "/cpu.cfs_quota_us").c_str(),
                                                                   FirstLine(folder + "/cpu.cfs_period_us").c_str()));
    if (group.empty()) return cpus;
    group.resize(group.rfind('/'));
  }
}

// Lines of /proc/self/cgroup: "0::GROUP" in version 2, "NUMBER:CONTROLLER,...:GROUP" in version 1. A container often
// sees its own group mounted as the root, under which GROUP is not found: then the root itself counts.
int64_t CpusOfCgroups(const std::string& root) {
  int64_t cpus = INT64_MAX;
  std::FILE* file = std::fopen((root + "/proc/self/cgroup").c_str(), "re");
  if (file == nullptr) return cpus;
  char text[4352];  // a path and what stands before it
  while (std::fgets(text, sizeof text, file) != nullptr) {
    const std::string line(text);
    const size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1, line.find('\n') - second - 1);
    if (group.empty() || group[0] != '/') continue;
    if (group == "/") group.clear();
    const std::string mounts = root + "/sys/fs/cgroup";
    if (controllers.empty()) {
      cpus = std::min(cpus, CpusOfGroup(mounts, group));
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      cpus = std::min({cpus, CpusOfGroup(mounts + "/" + controllers, group), CpusOfGroup(mounts + "/cpu", group)});
    }
  }
  std::fclose(file);
  return cpus;
}

}  // namespace

int AvailableThreads(const std::string& root) {
  int cpus = CpusOfAffinityMask();
  if (cpus < 1) cpus = static_cast<int>(std::thread::hardware_concurrency());
  return static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(cpus, CpusOfCgroups(root))));
}
#else
int AvailableThreads(const std::string&) { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }
#endif

}  // namespace intsam::internal
