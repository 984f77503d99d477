#include "runtime/encoder/reference.h"

#include "runtime/encoder/local_conv/local_conv.h"
#include "runtime/ops/prepared_depthwise.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const LocalConv& layer, ReferenceImage& image) {
  Tensor<int16_t> narrow(layer.cells(), layer.width());
  Scalar().narrow_r24({image.x[0], narrow[0], layer.cells() * layer.width()});
  const Tensor<int16_t> padded = Padded(narrow, layer.grid, int16_t{0});
  const size_t row = size_t{layer.grid + 2} * layer.width();
  Tensor<int32_t> acc(layer.cells(), layer.width());
  for (size_t y = 0; y < layer.grid; ++y) {
    const int16_t* top = padded[0] + y * row;
    const int16_t* const rows[3] = {top, top + row, top + 2 * row};
    ops::Convolve(Scalar(), layer.conv, rows, static_cast<int>(layer.grid), {acc[y * layer.grid], acc.columns});
  }
  image.x = ToR24(layer.rq, acc);
}

}  // namespace intsam::internal
