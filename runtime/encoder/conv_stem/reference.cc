#include "runtime/encoder/reference.h"

#include <algorithm>
#include <utility>

#include "runtime/encoder/conv_stem/conv_stem.h"

namespace intsam::internal {

using namespace reference;

namespace {

// Rows of 3x3 neighbourhoods, two cells apart, of a map padded to `side` + 2 cells per side; `columns` values each.
Tensor<uint8_t> StridedNeighbourhoods(const Tensor<uint8_t>& padded, uint32_t side, size_t columns) {
  const uint32_t grid = side / 2;
  Tensor<uint8_t> out(size_t{grid} * grid, columns);
  for (uint32_t cell = 0; cell < grid * grid; ++cell) {
    for (uint32_t tap = 0; tap < 9; ++tap) {
      const size_t y = cell / grid * 2 + tap / 3, x = cell % grid * 2 + tap % 3;
      std::copy_n(padded[y * (side + 2) + x], padded.columns, out[cell] + tap * padded.columns);
    }
  }
  return out;
}

}  // namespace

void RunReference(const ConvStem& stem, ReferenceImage& image) {
  const PreparedConvStem prepared(stem, Scalar().flip);
  const size_t side = stem.image + 2;
  Tensor<uint8_t> pixels(side * side, 3);
  for (size_t y = 0; y < side; ++y) {
    for (size_t x = 0; x < side; ++x) {
      const bool inside = y >= 1 && x >= 1 && y <= image.size.height && x <= image.size.width;
      std::copy_n(inside ? image.rgb + ((y - 1) * image.size.width + x - 1) * 3 : ConvStem::kZeroPixel, 3,
                  pixels[y * side + x]);
    }
  }
  const Tensor<uint8_t> taps = StridedNeighbourhoods(pixels, stem.image, ConvStem::kTaps);
  const Tensor<uint8_t> middle = ToGeluCodes(stem.gelu, Multiply(prepared.conv1, taps));
  const Tensor<uint8_t> padded = Padded(middle, stem.middle_grid(), static_cast<uint8_t>(stem.gelu.out.zero));
  const Tensor<uint8_t> around = StridedNeighbourhoods(padded, stem.middle_grid(), 9 * size_t{stem.middle()});
  image.narrow = ToS16(stem.rq, Multiply(prepared.conv2, around), -32767, 32767);
}

}  // namespace intsam::internal
