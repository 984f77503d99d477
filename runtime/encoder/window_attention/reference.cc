#include "runtime/encoder/reference.h"

#include "runtime/encoder/window_attention/window_attention.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const WindowAttention& a, ReferenceImage& image) {
  const Kernels& k = Scalar();
  // A token that is zero after the norm has the bias as its qkv accumulator (docs/numerics.md 13).
  const PreparedSelfAttention prepared(a, a.qkv.bias, k.flip);
  const uint32_t side = a.windows.side, d = a.windows.head_dim;
  const int n = static_cast<int>(side);
  const PreparedRelPos along_y(a.rel_pos_h, a.q_rq.out), along_x(a.rel_pos_w, a.q_rq.out);
  Tensor<int32_t> rh(1, side), rw(1, side);
  const auto positions = [&](uint32_t, uint32_t place, const int8_t* q) -> ops::RowRelPos {
    ops::RelativePositions(k, along_y, {q, d}, 1, side - 1 - place / side, 0, n, rh.all());
    ops::RelativePositions(k, along_x, {q, d}, 1, side - 1 - place % side, 0, n, rw.all());
    return {rh[0], rw[0], 0, n, n};
  };
  RunReference(a, prepared, positions, image);
}

}  // namespace intsam::internal
