// Strips of rows, from the stream to the spare buffer. A strip keeps the three rows of s16 that the convolution looks
// at.
#include "runtime/encoder/fused.h"

#include <algorithm>
#include <cstring>

#include "runtime/encoder/local_conv/local_conv.h"
#include "runtime/ops/prepared_depthwise.h"

namespace intsam::internal {
namespace {

// Cells whose accumulators stay in the innermost cache.
constexpr int kCells = 16;

struct Scratch {
  int16_t* narrow;  // three rows [grid + 2][width]; row y lies in place (y + 3) % 3
  int32_t* acc;     // [kCells][width]
  size_t row;       // values of a row

  Scratch(const LocalConv& layer, Arena& arena)
      : narrow(arena.Take<int16_t>(3 * (size_t{layer.grid} + 2) * layer.width())),
        acc(arena.Take<int32_t>(kCells * size_t{layer.width()})),
        row((size_t{layer.grid} + 2) * layer.width()) {}
  int16_t* Narrow(int y) const { return narrow + static_cast<size_t>((y + 3) % 3) * row; }
};

class FusedLocalConv : public FusedLayer {
 public:
  FusedLocalConv(const LocalConv& record, const Kernels& kernels) : record_(record), kernels_(kernels) {}

  void Run(FusedImage& image) const override {
    const int rows = static_cast<int>(record_.grid), strip = StripRows(record_.grid);
    image.parallel.For((rows + strip - 1) / strip, [&](int task, int worker) {
      const auto s = image.ScratchOf<Scratch>(record_, worker);
      int made = task * strip - 1;  // rows of s16 above this one are there or no longer needed
      for (int y = task * strip; y < std::min((task + 1) * strip, rows); ++y) {
        for (; made < y + 2; ++made) NarrowRow(image, made, s);
        ResultRow(image, y, s);
      }
    });
    image.Swap();
  }

 private:
  void NarrowRow(const FusedImage& image, int y, const Scratch& s) const {
    const size_t width = record_.width(), values = record_.grid * width;
    int16_t* out = s.Narrow(y);
    if (y < 0 || y >= static_cast<int>(record_.grid)) {
      std::fill_n(out, s.row, int16_t{0});
      return;
    }
    std::fill_n(out, width, int16_t{0});
    kernels_.narrow_r24({image.x() + static_cast<size_t>(y) * values, out + width, values});
    std::fill_n(out + width + values, width, int16_t{0});
  }

  void ResultRow(const FusedImage& image, int y, const Scratch& s) const {
    const uint32_t grid = record_.grid, width = record_.width();
    int32_t* out = reinterpret_cast<int32_t*>(image.spare) + static_cast<size_t>(y) * grid * width;
    for (uint32_t x = 0; x < grid; x += kCells) {
      const int cells = static_cast<int>(std::min<uint32_t>(kCells, grid - x));
      const size_t at = size_t{x} * width;
      const int16_t* const rows[3] = {s.Narrow(y - 1) + at, s.Narrow(y) + at, s.Narrow(y + 1) + at};
      ops::Convolve(kernels_, record_.conv, rows, cells, {s.acc, width});
      ops::ToR24(kernels_, record_.rq, {s.acc, width}, cells, {out + at, width});
    }
  }

  const LocalConv& record_;
  const Kernels& kernels_;
};

}  // namespace

FusedMemory MemoryOf(const LocalConv& layer) {
  const size_t map = layer.cells() * layer.width() * sizeof(int32_t);
  return {.stream = map, .spare = map, .worker = ScratchBytes<Scratch>(layer), .swaps = true};
}

std::unique_ptr<FusedLayer> MakeFused(const LocalConv& layer, const Kernels& kernels) {
  return std::make_unique<FusedLocalConv>(layer, kernels);
}

}  // namespace intsam::internal
