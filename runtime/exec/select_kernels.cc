#include "runtime/exec/select_kernels.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/base/cpu.h"

namespace intsam::internal {
namespace {

// Every tier that some build of intsam has, so that a name can be told from a typing error.
constexpr const char* kTierNames[] = {
    "scalar",
#define INTSAM_ALL_TIERS
#define INTSAM_TIER(name, base, flip, ...) #name,
#include "kernels/tiers.inc"
};

}  // namespace

Result<const Kernels*> SelectKernels(const char* name) {
  const char* source = "isa";
  if (name == nullptr || *name == 0) name = std::getenv("INTSAM_ISA"), source = "INTSAM_ISA";
  const bool any = name == nullptr || *name == 0;
  std::string built;
  for (const Kernels* kernels : BuiltKernels()) {
    if (any ? CpuSupports(kernels->name) : std::strcmp(kernels->name, name) == 0) {
      if (CpuSupports(kernels->name)) return kernels;
      return Error(Code::kUnsupported, "%s: this CPU does not support '%s'", source, name);
    }
    built += (built.empty() ? "" : ", ") + std::string(kernels->name);
  }
  for (const char* known : kTierNames) {
    if (!any && std::strcmp(known, name) == 0) {
      return Error(Code::kUnsupported, "%s: '%s' is not built into this library (%s)", source, name, built.c_str());
    }
  }
  return Error(Code::kUsage, "%s: unknown tier '%s' (%s)", source, any ? "" : name, built.c_str());
}

}  // namespace intsam::internal
