#include "tests/kernels/emulation/emulated_tiers.h"

#include <algorithm>
#include <string_view>

#include "runtime/base/cpu.h"
#if defined(INTSAM_EMULATE)
#include "kernels/tiers.h"
#endif

namespace intsam::internal::test {

#if defined(INTSAM_EMULATE)
namespace {

#define INTSAM_TIER(name, base, flip, ...) const Kernels& name();
#include "kernels/tiers.inc"

// The library's, on which emulated tiers are built: this CPU does have it.
const Kernels& avx2() {
  const auto built = BuiltKernels();
  return **std::find_if(built.begin(), built.end(), [](auto* k) { return std::string_view(k->name) == "avx2"; });
}

#define INTSAM_TIER(name, base, flip, ...)                                                 \
  const Kernels& name() {                                                                  \
    static const Kernels kernels = MakeTier(base(), #name "_emulated", flip, __VA_ARGS__); \
    return kernels;                                                                        \
  }
#include "kernels/tiers.inc"

}  // namespace
#endif

std::vector<const Kernels*> EmulatedTiers() {
#if defined(INTSAM_EMULATE)
  if (!CpuSupports("avx2")) return {};
  return {
#define INTSAM_TIER(name, base, flip, ...) &name(),
#include "kernels/tiers.inc"
  };
#else
  return {};
#endif
}

}  // namespace intsam::internal::test
