#include "runtime/encoder/reference.h"

#include <algorithm>

#include "runtime/encoder/neck/prepared.h"

namespace intsam::internal {

using namespace reference;

namespace {

// Rows of 3x3 neighbourhoods in order (ky, kx, channel); outside is the code of zero.
Tensor<uint8_t> Neighbourhoods(const Tensor<uint8_t>& x, uint32_t grid, uint8_t zero) {
  Tensor<uint8_t> out(x.rows, 9 * x.columns);
  for (uint32_t token = 0; token < grid * grid; ++token) {
    for (uint32_t tap = 0; tap < 9; ++tap) {
      const uint32_t y = token / grid + tap / 3, x_at = token % grid + tap % 3;  // both plus one
      uint8_t* to = out[token] + tap * x.columns;
      if (y < 1 || x_at < 1 || y > grid || x_at > grid) {
        std::fill_n(to, x.columns, zero);
      } else {
        std::copy_n(x[size_t{y - 1} * grid + x_at - 1], x.columns, to);
      }
    }
  }
  return out;
}

}  // namespace

void RunReference(const Neck& neck, ReferenceImage& image) {
  const PreparedNeck prepared(neck, Scalar().flip);
  const Tensor<uint8_t> middle =
      Norm(neck.norm1, ToR24(neck.conv1_rq, Multiply(prepared.conv1, Quantize(neck.in, image.x))));
  const Tensor<uint8_t> around = Neighbourhoods(middle, neck.grid, static_cast<uint8_t>(neck.norm1.out.zero));
  const Tensor<int16_t> out = Norm(neck.norm2, ToR24(neck.conv2_rq, Multiply(prepared.conv2, around)));
  std::copy_n(out[0], out.rows * out.columns, image.embedding);
}

}  // namespace intsam::internal
