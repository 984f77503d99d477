// depthwise_dot.h over the vectors of a tier with VPDPBUSD (YmmVnni of isa/avxvnni.h, Zmm of isa/avx512.h).
#ifndef INTSAM_KERNELS_NN_DEPTHWISE_DOT_X86_H_
#define INTSAM_KERNELS_NN_DEPTHWISE_DOT_X86_H_

#include "kernels/nn/depthwise_dot.h"

namespace intsam::internal::x86 {

template <class Isa>
struct DotColumns : Isa {
  using Vector = typename Isa::Vector;
  using Bytes = Vector;

  static void Columns(const void* a, const void* b, const void* c, Bytes (&out)[depthwise::kQuads]) {
    const Vector x = Isa::SpreadQuads(Isa::Load(a)), y = Isa::SpreadQuads(Isa::Load(b));
    const Vector z = Isa::SpreadQuads(Isa::Load(c));
    const Vector xy_low = Isa::InterleaveLow8(x, y), z_low = Isa::InterleaveLow8(z, Isa::Zero());
    const Vector xy_high = Isa::InterleaveHigh8(x, y), z_high = Isa::InterleaveHigh8(z, Isa::Zero());
    out[0] = Isa::InterleaveLow16(xy_low, z_low), out[1] = Isa::InterleaveHigh16(xy_low, z_low);
    out[2] = Isa::InterleaveLow16(xy_high, z_high), out[3] = Isa::InterleaveHigh16(xy_high, z_high);
  }
};

}  // namespace intsam::internal::x86

#endif  // INTSAM_KERNELS_NN_DEPTHWISE_DOT_X86_H_
