#include "runtime/encoder/bottleneck/fused_bottleneck.h"
#include "runtime/encoder/patch_merging/patch_merging.h"

namespace intsam::internal {
namespace {

class FusedPatchMerging : public FusedBottleneck {
 public:
  FusedPatchMerging(const PatchMerging& record, const Kernels& kernels)
      : FusedBottleneck(record, kernels), merging_(record) {}

 private:
  void ReadInput(const FusedImage& image, size_t first, int cells, uint8_t* codes) const override {
    const uint32_t width = merging_.width();
    const size_t n = static_cast<size_t>(cells) * width;
    if (merging_.input == PatchMerging::Input::kS16) {
      ops::Quantize(kernels_, merging_.in, image.narrow() + first * width, nullptr, n, codes);
    } else {
      ops::Quantize(kernels_, merging_.in, image.x() + first * width, n, codes);
    }
  }

  void Finish(const FusedImage& image, size_t first, int cells, ops::Rows<const int32_t> acc) const override {
    int32_t* out = reinterpret_cast<int32_t*>(image.spare) + first * merging_.out();
    ops::ToR24(kernels_, merging_.rq, acc, cells, {out, merging_.out()});
  }

  const PatchMerging& merging_;
};

}  // namespace

FusedMemory MemoryOf(const PatchMerging& merging) {
  const bool s16 = merging.input == PatchMerging::Input::kS16;
  return FusedBottleneck::Memory(merging, s16 ? sizeof(int16_t) : sizeof(int32_t), sizeof(int32_t));
}

std::unique_ptr<FusedLayer> MakeFused(const PatchMerging& merging, const Kernels& kernels) {
  return std::make_unique<FusedPatchMerging>(merging, kernels);
}

}  // namespace intsam::internal
