#include "runtime/encoder/reference.h"

#include <cstdlib>

#include "runtime/encoder/biased_attention/biased_attention.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const BiasedAttention& a, ReferenceImage& image) {
  const PreparedSelfAttention prepared(a, PaddingToken(a), Scalar().flip);
  const int side = static_cast<int>(a.windows.side);
  Tensor<int32_t> none(1, 1), row(1, a.windows.keys());
  const auto positions = [&](uint32_t head, uint32_t place, const int8_t*) -> ops::RowRelPos {
    const int32_t* biases = a.biases.data() + size_t{head} * a.windows.keys();
    const int y = static_cast<int>(place) / side, x = static_cast<int>(place) % side;
    int32_t* out = row[0];
    for (int ky = 0; ky < side; ++ky) {
      for (int kx = 0; kx < side; ++kx) *out++ = biases[std::abs(ky - y) * side + std::abs(kx - x)];
    }
    return {none[0], row[0], 0, 1, side * side};
  };
  RunReference(a, prepared, positions, image);
}

}  // namespace intsam::internal
