#include "tests/kernels/emulation/emulated_tiers.h"

#include <algorithm>
#include <string_view>

#include "runtime/base/cpu.h"
#if defined(INTSAM_EMULATE)
#include "kernels/tiers.h"
#endif

namespace intsam::internal::test {

std::vector<const Kernels*> EmulatedTiers() {
#if defined(INTSAM_EMULATE)
  const auto built = BuiltKernels();
  const auto avx2 = std::find_if(built.begin(), built.end(), [](const Kernels* k) {
    return std::string_view(k->name) == "avx2" && CpuSupports(k->name);
  });
  if (avx2 == built.end()) return {};
  static const Kernels avxvnni = [&] {
    Kernels k = **avx2;
    k.name = "avxvnni_emulated";
    FillGemmAvxvnni(k);
    FillAttentionAvxvnni(k);
    return k;
  }();
  static const Kernels avx512vnni = [&] {
    Kernels k = **avx2;
    k.name = "avx512vnni_emulated";
    FillGemmAvx512vnni(k);
    FillEpilogueAvx512vnni(k);
    FillLayerNormAvx512vnni(k);
    FillAttentionAvx512vnni(k);
    FillSoftmaxAvx512vnni(k);
    return k;
  }();
  static const Kernels amx = [&] {
    Kernels k = avx512vnni;
    k.name = "amx_emulated";
    FillGemmAmx(k);
    FillAttentionAmx(k);
    return k;
  }();
  return {&amx, &avx512vnni, &avxvnni};
#else
  return {};
#endif
}

}  // namespace intsam::internal::test
