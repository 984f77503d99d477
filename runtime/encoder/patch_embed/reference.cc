#include "runtime/encoder/reference.h"

#include <algorithm>

#include "kernels/numerics/fixed_point.h"
#include "runtime/encoder/patch_embed/prepared.h"

namespace intsam::internal {

using namespace reference;

void RunReference(const PatchEmbed& embed, ReferenceImage& image) {
  const PreparedPatchEmbed prepared(embed, Scalar().flip);
  const uint32_t grid = embed.grid, patch = embed.patch;
  const ImageSize size = image.size;
  Tensor<int32_t> x(size_t{grid} * grid, embed.out);
  for (uint32_t token = 0; token < grid * grid; ++token) {
    const uint32_t y0 = token / grid * patch, x0 = token % grid * patch;
    for (uint32_t j = 0; j < embed.out; ++j) x[token][j] = Clamp24(embed.Position(token, j));
    if (y0 >= size.height || x0 >= size.width) continue;
    const ImageSize valid{std::min(patch, size.width - x0), std::min(patch, size.height - y0)};
    Tensor<uint8_t> pixels(1, embed.in);
    for (uint32_t ch = 0; ch < 3; ++ch) {
      for (uint32_t y = 0; y < valid.height; ++y) {
        for (uint32_t dx = 0; dx < valid.width; ++dx) {
          pixels[0][(ch * patch + y) * patch + dx] = image.rgb[(size_t{y0 + y} * size.width + x0 + dx) * 3 + ch];
        }
      }
    }
    Tensor<int32_t> acc = Multiply(prepared.high, pixels);
    const Tensor<int32_t> low = Multiply(prepared.low, pixels);
    Tensor<int32_t> correction(1, acc.columns);
    PatchMeanCorrection(embed, valid, correction[0]);
    for (uint32_t j = 0; j < embed.out; ++j) acc[0][j] = 64 * acc[0][j] + low[0][j] + correction[0][j];
    ops::AddToR24(Scalar(), embed.rq, acc.all(), 1, 0, static_cast<int>(embed.out), {x[token], embed.out});
  }
  image.x = std::move(x);
}

}  // namespace intsam::internal
