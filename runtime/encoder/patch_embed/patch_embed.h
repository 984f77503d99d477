// x = patches * W + bias + pos_embed: the first layer of a ViT (docs/numerics.md 8).
#ifndef INTSAM_RUNTIME_ENCODER_PATCH_EMBED_PATCH_EMBED_H_
#define INTSAM_RUNTIME_ENCODER_PATCH_EMBED_PATCH_EMBED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/encoder/kind.h"
#include "runtime/records/records.h"

namespace intsam::internal {

struct PatchEmbed {
  uint32_t grid, patch;                  // patches per side, pixels per side of a patch
  uint32_t in, out;                      // 3 * patch^2, width of x
  View<int8_t> weight_high, weight_low;  // w = 64 * high + low (PW14)
  // Not in the file: as Linear::column_sums, of each plane.
  std::vector<int32_t> high_column_sums, low_column_sums;
  View<int32_t> mean;  // round(mean * 2^16) per colour
  Rq32 rq;
  // (pos_embed + bias) in residual units / 2^shift of the channel, [grid^2][out]: s16, or s8 in models of few bits,
  // where a tenth of the file would be positions. Exactly one of both is there.
  uint32_t narrow_positions = 0;
  View<int16_t> position;
  View<int8_t> position8;
  View<uint8_t> position_shift;  // [out]

  PatchEmbed(uint32_t grid, uint32_t patch, uint32_t width);

  template <class V>
  void Visit(V& v) {
    v.Tensor("weight_high", weight_high, {(out + 15) / 16, in / 4, 16, 4}, -127, 127);
    v.Tensor("weight_low", weight_low, {(out + 15) / 16, in / 4, 16, 4}, -32, 31);
    v.Tensor("mean", mean, {3}, 0, 255 << 16);
    v.Group("rq", rq);
    v.Field("narrow_positions", narrow_positions, 0, 1);
    if (narrow_positions == 1) {
      v.Tensor("position", position8, {grid * grid, out}, -127, 127);
    } else {
      v.Tensor("position", position, {grid * grid, out}, -32767, 32767);
    }
    v.Tensor("position_shift", position_shift, {out}, 0, 16);
  }
  // Of channel c of a patch, in residual units: |p| < 2^32.
  int64_t Position(size_t index, size_t c) const {
    const int64_t code = narrow_positions == 1 ? position8[index * out + c] : position[index * out + c];
    return code * (int64_t{1} << position_shift[c]);
  }
};

void Prove(Proof& proof, PatchEmbed& embed);
void RunReference(const PatchEmbed& embed, ReferenceImage& image);
FusedMemory MemoryOf(const PatchEmbed& embed);
std::unique_ptr<FusedLayer> MakeFused(const PatchEmbed& embed, const Kernels& kernels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_PATCH_EMBED_PATCH_EMBED_H_
