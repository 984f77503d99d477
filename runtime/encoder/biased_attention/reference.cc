#include "runtime/encoder/reference.h"

#include "runtime/encoder/biased_attention/biased_attention.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const BiasedAttention& a, ReferenceImage& image) {
  const PreparedSelfAttention prepared(a, PaddingToken(a), Scalar().flip);
  Tensor<int32_t> none(1, 1), row(1, a.windows.keys());
  const auto positions = [&](uint32_t head, uint32_t place, const int8_t*) -> ops::RowRelPos {
    BiasRow(a, head, place, row[0]);
    return {none[0], row[0], 1, static_cast<int>(a.windows.keys())};
  };
  RunReference(a, prepared, positions, image);
}

}  // namespace intsam::internal
