// Strips of rows of the result. A strip keeps the three rows of conv1's codes that conv2 looks at.
#include "runtime/encoder/fused.h"

#include <algorithm>
#include <cstring>

#include "runtime/encoder/conv_stem/conv_stem.h"
#include "runtime/ops/ops.h"

namespace intsam::internal {
namespace {

struct Scratch {
  uint8_t* pixels;  // three rows [image + 2][3] of operands
  uint8_t* middle;  // three rows [middle_grid + 2][middle] of codes; row y lies in place (y + 3) % 3
  uint8_t* codes;   // [kRowBlock][max(kTaps, 9 * middle)]
  int32_t* acc;     // [kRowBlock][acc_row]
  size_t pixel_row, middle_row, acc_row;  // products write whole panels, and middle may be half of one

  Scratch(const ConvStem& stem, Arena& arena)
      : pixel_row((size_t{stem.image} + 2) * 3),
        middle_row((size_t{stem.middle_grid()} + 2) * stem.middle()),
        acc_row(static_cast<size_t>(RoundUp(static_cast<int>(std::max(stem.middle(), stem.out())), kPanel))) {
    pixels = arena.Take<uint8_t>(3 * pixel_row);
    middle = arena.Take<uint8_t>(3 * middle_row);
    codes = arena.Take<uint8_t>(kRowBlock * size_t{std::max(ConvStem::kTaps, 9 * stem.middle())});
    acc = arena.Take<int32_t>(kRowBlock * acc_row);
  }
  uint8_t* Middle(int y) const { return middle + static_cast<size_t>((y + 3) % 3) * middle_row; }
};

class FusedConvStem : public FusedLayer {
 public:
  FusedConvStem(const ConvStem& record, const Kernels& kernels)
      : record_(record), kernels_(kernels), prepared_(record, kernels.flip) {}

  void Run(FusedImage& image) const override {
    const int rows = static_cast<int>(record_.grid()), strip = StripRows(record_.grid());
    image.parallel.For((rows + strip - 1) / strip, [&](int task, int worker) {
      const auto s = image.ScratchOf<Scratch>(record_, worker);
      int made = 2 * task * strip - 1;  // rows of codes above this one are there or no longer needed
      for (int y = task * strip; y < std::min((task + 1) * strip, rows); ++y) {
        for (; made < 2 * y + 2; ++made) MiddleRow(image, made, s);
        ResultRow(image, y, s);
      }
    });
  }

 private:
  // A row of the photo with a pixel before and behind it, as operands; what is not photo is the zero pixel.
  void PixelRow(const FusedImage& image, int y, uint8_t* out) const {
    const uint32_t side = record_.image + 2, width = image.size.width;
    const bool inside = y >= 0 && y < static_cast<int>(image.size.height);
    uint32_t x = 0;
    const auto zero_until = [&](uint32_t end) {
      for (; x < end; ++x) std::memcpy(out + size_t{3} * x, ConvStem::kZeroPixel, 3);
    };
    zero_until(inside ? 1 : side);
    if (inside) {
      std::memcpy(out + 3, image.rgb + static_cast<size_t>(y) * width * 3, size_t{3} * width);
      x += width;
      zero_until(side);
    }
    if (kernels_.flip == 0) return;
    for (size_t i = 0; i < size_t{3} * side; ++i) out[i] ^= kernels_.flip;
  }

  void MiddleRow(const FusedImage& image, int y, const Scratch& s) const {
    const Kernels& k = kernels_;
    const uint32_t grid = record_.middle_grid(), middle = record_.middle();
    const int pad = static_cast<uint8_t>(record_.gelu.out.zero) ^ k.flip;
    uint8_t* out = s.Middle(y);
    if (y < 0 || y >= static_cast<int>(grid)) {
      std::memset(out, pad, s.middle_row);
      return;
    }
    std::memset(out, pad, middle);
    std::memset(out + s.middle_row - middle, pad, middle);
    for (int ky = 0; ky < 3; ++ky) PixelRow(image, 2 * y - 1 + ky, s.pixels + static_cast<size_t>(ky) * s.pixel_row);
    for (uint32_t x = 0; x < grid; x += kRowBlock) {
      const int cells = static_cast<int>(std::min<uint32_t>(kRowBlock, grid - x));
      for (uint32_t i = 0; i < static_cast<uint32_t>(cells); ++i) {
        uint8_t* taps = s.codes + size_t{i} * ConvStem::kTaps;
        for (size_t ky = 0; ky < 3; ++ky)
          std::memcpy(taps + 9 * ky, s.pixels + ky * s.pixel_row + (size_t{x} + i) * 6, 9);
        taps[ConvStem::kTaps - 1] = k.flip;
      }
      ops::Gemm(k, prepared_.conv1, {s.codes, ConvStem::kTaps}, cells, {s.acc, s.acc_row});
      ops::ToGeluCodes(k, record_.gelu, {s.acc, s.acc_row}, cells, 0, static_cast<int>(middle),
                       {out + (size_t{x} + 1) * middle, middle});
    }
  }

  void ResultRow(const FusedImage& image, int y, const Scratch& s) const {
    const uint32_t grid = record_.grid(), middle = record_.middle(), out = record_.out();
    const size_t taps = size_t{3} * middle;  // of one row
    for (uint32_t x = 0; x < grid; x += kRowBlock) {
      const int cells = static_cast<int>(std::min<uint32_t>(kRowBlock, grid - x));
      for (uint32_t i = 0; i < static_cast<uint32_t>(cells); ++i) {
        for (int ky = 0; ky < 3; ++ky) {
          std::memcpy(s.codes + (size_t{i} * 3 + static_cast<size_t>(ky)) * taps,
                      s.Middle(2 * y - 1 + ky) + (size_t{x} + i) * 2 * middle, taps);
        }
      }
      ops::Gemm(kernels_, prepared_.conv2, {s.codes, 3 * taps}, cells, {s.acc, s.acc_row});
      ops::ToS16(kernels_, record_.rq, {s.acc, s.acc_row}, cells, -32767, 32767,
                 {image.narrow() + (static_cast<size_t>(y) * grid + x) * out, out});
    }
  }

  const ConvStem& record_;
  const Kernels& kernels_;
  const PreparedConvStem prepared_;
};

}  // namespace

FusedMemory MemoryOf(const ConvStem& stem) {
  return {.stream = size_t{stem.grid()} * stem.grid() * stem.out() * sizeof(int16_t),
          .worker = ScratchBytes<Scratch>(stem)};
}

std::unique_ptr<FusedLayer> MakeFused(const ConvStem& stem, const Kernels& kernels) {
  return std::make_unique<FusedConvStem>(stem, kernels);
}

}  // namespace intsam::internal
