// One task per row of patches. Pixels outside the image are read as 0 and the mean is subtracted over valid pixels
// only; a patch without any valid pixel is its position alone (docs/numerics.md 8).
#include "runtime/encoder/fused.h"

#include <cstring>

#include "kernels/numerics/fixed_point.h"
#include "runtime/encoder/patch_embed/prepared.h"
#include "runtime/ops/ops.h"

namespace intsam::internal {
namespace {

struct Scratch {
  uint8_t* codes;       // [kRowBlock][in]
  int32_t *high, *low;  // [kRowBlock][out]
  Scratch(const PatchEmbed& embed, Arena& arena)
      : codes(arena.Take<uint8_t>(kRowBlock * size_t{embed.in})),
        high(arena.Take<int32_t>(kRowBlock * size_t{embed.out})),
        low(arena.Take<int32_t>(kRowBlock * size_t{embed.out})) {}
};

class FusedPatchEmbed : public FusedLayer {
 public:
  FusedPatchEmbed(const PatchEmbed& record, const Kernels& kernels)
      : record_(record), kernels_(kernels), prepared_(record, kernels.flip) {}

  void Run(FusedImage& image) const override {
    const Kernels& k = kernels_;
    const ImageSize size = image.size;
    const uint32_t grid = record_.grid, patch = record_.patch, n = record_.out;
    const uint32_t rows = (size.height + patch - 1) / patch, columns = (size.width + patch - 1) / patch;
    // The longest side fills the input, so patches are cut along one axis at most, and all of them alike.
    const ImageSize last{size.width - (columns - 1) * patch, size.height - (rows - 1) * patch};
    int32_t* partial = reinterpret_cast<int32_t*>(image.spare);  // their mean correction
    if (last.width < patch || last.height < patch) PatchMeanCorrection(record_, last, partial);

    image.parallel.For(static_cast<int>(grid), [&](int task, int worker) {
      const auto s = image.ScratchOf<Scratch>(record_, worker);
      const uint32_t py = static_cast<uint32_t>(task);
      for (uint32_t first = 0; first < grid; first += kRowBlock) {
        const uint32_t count = std::min<uint32_t>(kRowBlock, grid - first);
        const uint32_t valid = py >= rows || first >= columns ? 0 : std::min(count, columns - first);
        for (uint32_t i = 0; i < valid; ++i) ReadPatch(image, py, first + i, s.codes + size_t{i} * record_.in);
        const ops::Rows<const uint8_t> codes{s.codes, record_.in};
        if (valid > 0) {
          ops::Gemm(k, prepared_.high, codes, static_cast<int>(valid), {s.high, n});
          ops::Gemm(k, prepared_.low, codes, static_cast<int>(valid), {s.low, n});
        }
        for (uint32_t i = 0; i < count; ++i) {
          const size_t token = size_t{py} * grid + first + i;
          int32_t* x = image.x() + token * n;
          for (size_t j = 0; j < n; ++j) x[j] = Clamp24(record_.Position(token, j));
          if (i >= valid) continue;
          const bool cut = (py + 1 == rows && last.height < patch) || (first + i + 1 == columns && last.width < patch);
          const int32_t* correction = cut ? partial : prepared_.mean_correction.data();
          int32_t* acc = s.high + size_t{i} * n;
          const int32_t* low = s.low + size_t{i} * n;
          for (size_t j = 0; j < n; ++j) acc[j] = 64 * acc[j] + low[j] + correction[j];
          ops::AddToR24(k, record_.rq, {acc, n}, 1, 0, static_cast<int>(n), {x, n});
        }
      }
    });
  }

 private:
  // out: operands [channel][y][x].
  void ReadPatch(const FusedImage& image, uint32_t py, uint32_t px, uint8_t* out) const {
    const uint32_t patch = record_.patch, x0 = px * patch, y0 = py * patch;
    const uint32_t x1 = std::min(x0 + patch, image.size.width), y1 = std::min(y0 + patch, image.size.height);
    const uint8_t flip = kernels_.flip;
    std::memset(out, flip, record_.in);
    for (uint32_t y = y0; y < y1; ++y) {
      const uint8_t* pixel = image.rgb + (size_t{y} * image.size.width + x0) * 3;
      for (uint32_t x = 0; x < x1 - x0; ++x) {
        for (uint32_t ch = 0; ch < 3; ++ch) out[ch * patch * patch + (y - y0) * patch + x] = pixel[3 * x + ch] ^ flip;
      }
    }
  }

  const PatchEmbed& record_;
  const Kernels& kernels_;
  const PreparedPatchEmbed prepared_;
};

}  // namespace

FusedMemory MemoryOf(const PatchEmbed& embed) {
  return {.stream = size_t{embed.grid} * embed.grid * embed.out * sizeof(int32_t),
          .spare = (size_t{embed.out} + 15) / 16 * 16 * sizeof(int32_t),
          .worker = ScratchBytes<Scratch>(embed)};
}

std::unique_ptr<FusedLayer> MakeFused(const PatchEmbed& embed, const Kernels& kernels) {
  return std::make_unique<FusedPatchEmbed>(embed, kernels);
}

}  // namespace intsam::internal
