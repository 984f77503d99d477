// x = bottleneck(x), to the next stage's width and mostly to half its grid: from a stream of s16 behind TinyViT's first
// stage, of R24 behind the others, to R24 (docs/numerics.md 18).
#ifndef INTSAM_RUNTIME_ENCODER_PATCH_MERGING_PATCH_MERGING_H_
#define INTSAM_RUNTIME_ENCODER_PATCH_MERGING_PATCH_MERGING_H_

#include <cstdint>
#include <memory>

#include "runtime/encoder/bottleneck/bottleneck.h"
#include "runtime/encoder/kind.h"

namespace intsam::internal {

struct PatchMerging : Bottleneck {
  enum class Input { kS16, kR24 } input;

  PatchMerging(Input kind, uint32_t cells_per_side, uint32_t cell_stride, uint32_t from, uint32_t to)
      : Bottleneck(cells_per_side, cell_stride, from, to, to), input(kind) {}
};

void Prove(Proof& proof, PatchMerging& merging);
void RunReference(const PatchMerging& merging, ReferenceImage& image);
FusedMemory MemoryOf(const PatchMerging& merging);
std::unique_ptr<FusedLayer> MakeFused(const PatchMerging& merging, const Kernels& kernels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_PATCH_MERGING_PATCH_MERGING_H_
