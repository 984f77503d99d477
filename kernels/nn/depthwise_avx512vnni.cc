// AVX512-VNNI depthwise convolutions: of codes by VPDPBUSD, of s16 values by VPDPWSSD.
#include "kernels/isa/avx512.h"
#include "kernels/nn/depthwise_dot_x86.h"
#include "kernels/nn/depthwise_pairs.h"

namespace intsam::internal {
namespace {

struct ZmmPairs : Zmm {
  static Vector Pairs(const int16_t* x, const int16_t* y) {
    return Or(And(LoadS16As32(x), Set32(0xFFFF)), ShiftLeft32<16>(LoadS16As32(y)));
  }
};

}  // namespace

void FillDepthwiseAvx512vnni(Kernels& k) {
  k.depthwise_codes = depthwise::Depthwise<x86::DotColumns<Zmm>>;
  k.depthwise_s16 = x86::Depthwise<ZmmPairs, DepthwiseS16>;
}

}  // namespace intsam::internal
