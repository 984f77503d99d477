// AVX-VNNI depthwise convolutions of codes by VPDPBUSD: the 256-bit instance of depthwise_dot.h.
#include "kernels/isa/avxvnni.h"
#include "kernels/nn/depthwise_dot_x86.h"

namespace intsam::internal {

void FillDepthwiseAvxvnni(Kernels& k) { k.depthwise_codes = depthwise::Depthwise<x86::DotColumns<YmmVnni>>; }

}  // namespace intsam::internal
