#include "runtime/encoder/bottleneck/fused_bottleneck.h"

#include <algorithm>
#include <cstring>

namespace intsam::internal {

namespace {

// Cells whose depthwise accumulators stay in the innermost cache.
constexpr int kCells = 16;

}  // namespace

struct FusedBottleneck::Scratch {
  uint8_t* hidden;   // three rows [grid + 2][hidden] of conv1's codes; row y lies in place (y + 3) % 3
  uint8_t* codes;    // [kRowBlock][max(width, hidden)]: operands of conv1 or of conv3
  int32_t* acc;      // [kRowBlock][max(kColumns, out)]
  int32_t* spatial;  // [kCells][hidden]
  size_t row;        // bytes of a row of codes

  Scratch(const Bottleneck& b, Arena& arena)
      : hidden(arena.Take<uint8_t>(3 * (size_t{b.grid} + 2) * b.hidden())),
        codes(arena.Take<uint8_t>(kRowBlock * size_t{std::max(b.width(), b.hidden())})),
        acc(arena.Take<int32_t>(kRowBlock * size_t{std::max<uint32_t>(kColumns, b.out())})),
        spatial(arena.Take<int32_t>(kCells * size_t{b.hidden()})),
        row((size_t{b.grid} + 2) * b.hidden()) {}

  uint8_t* Hidden(int y) const { return hidden + static_cast<size_t>((y + 3) % 3) * row; }
};

FusedMemory FusedBottleneck::Memory(const Bottleneck& b, size_t input_bytes, size_t result_bytes) {
  return {.stream = b.cells() * b.width() * input_bytes,
          .spare = b.out_cells() * b.out() * result_bytes,
          .worker = ScratchBytes<Scratch>(b),
          .swaps = true};
}

void FusedBottleneck::Run(FusedImage& image) const {
  const int rows = static_cast<int>(record_.out_grid()), stride = static_cast<int>(record_.stride);
  const int strip = StripRows(record_.out_grid());
  image.parallel.For((rows + strip - 1) / strip, [&](int task, int worker) {
    const auto s = image.ScratchOf<Scratch>(record_, worker);
    int made = task * strip * stride - 1;  // hidden rows above this one are there or no longer needed
    for (int y = task * strip; y < std::min((task + 1) * strip, rows); ++y) {
      for (; made < y * stride + 2; ++made) HiddenRow(image, made, s);
      ResultRow(image, static_cast<uint32_t>(y), s);
    }
  });
  image.Swap();
}

void FusedBottleneck::HiddenRow(const FusedImage& image, int y, const Scratch& s) const {
  const Kernels& k = kernels_;
  const uint32_t grid = record_.grid, width = record_.width(), hidden = record_.hidden();
  const int pad = static_cast<uint8_t>(record_.gelu1.out.zero) ^ k.flip;
  uint8_t* out = s.Hidden(y);
  if (y < 0 || y >= static_cast<int>(grid)) {
    std::memset(out, pad, s.row);
    return;
  }
  std::memset(out, pad, hidden);
  std::memset(out + s.row - hidden, pad, hidden);
  for (uint32_t x = 0; x < grid; x += kRowBlock) {
    const int cells = static_cast<int>(std::min<uint32_t>(kRowBlock, grid - x));
    ReadInput(image, static_cast<size_t>(y) * grid + x, cells, s.codes);
    for (uint32_t first = 0; first < hidden; first += kColumns) {
      const int n = static_cast<int>(std::min<uint32_t>(kColumns, hidden - first));
      ops::Gemm(k, prepared_.conv1, {s.codes, width}, cells, {s.acc, kColumns}, first, n);
      ops::ToGeluCodes(k, record_.gelu1, {s.acc, kColumns}, cells, first, n,
                       {out + (size_t{x} + 1) * hidden + first, hidden});
    }
  }
}

void FusedBottleneck::ResultRow(const FusedImage& image, uint32_t y, const Scratch& s) const {
  const Kernels& k = kernels_;
  const uint32_t grid = record_.out_grid(), hidden = record_.hidden(), out = record_.out(), stride = record_.stride;
  const int top = static_cast<int>(y * stride) - 1;
  const uint8_t* const rows[3] = {s.Hidden(top), s.Hidden(top + 1), s.Hidden(top + 2)};
  for (uint32_t x = 0; x < grid; x += kRowBlock) {
    const int cells = static_cast<int>(std::min<uint32_t>(kRowBlock, grid - x));
    for (int i = 0; i < cells; i += kCells) {
      const int count = std::min(kCells, cells - i);
      const size_t at = (size_t{x} + static_cast<size_t>(i)) * stride * hidden;
      const uint8_t* const taps[3] = {rows[0] + at, rows[1] + at, rows[2] + at};
      ops::Convolve(k, prepared_.conv2, taps, stride, count, {s.spatial, hidden});
      ops::ToGeluCodes(k, record_.gelu2, {s.spatial, hidden}, count, 0, static_cast<int>(hidden),
                       {s.codes + static_cast<size_t>(i) * hidden, hidden});
    }
    ops::Gemm(k, prepared_.conv3, {s.codes, hidden}, cells, {s.acc, out});
    Finish(image, size_t{y} * grid + x, cells, {s.acc, out});
  }
}

}  // namespace intsam::internal
