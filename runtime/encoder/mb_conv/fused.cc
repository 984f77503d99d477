#include "runtime/encoder/bottleneck/fused_bottleneck.h"
#include "runtime/encoder/mb_conv/mb_conv.h"

namespace intsam::internal {
namespace {

class FusedMbConv : public FusedBottleneck {
 public:
  FusedMbConv(const MbConv& record, const Kernels& kernels) : FusedBottleneck(record, kernels), block_(record) {}

 private:
  void ReadInput(const FusedImage& image, size_t first, int cells, uint8_t* codes) const override {
    const uint32_t width = block_.width();
    ops::Quantize(kernels_, block_.in, image.narrow() + first * width, nullptr, static_cast<size_t>(cells) * width,
                  codes);
  }

  void Finish(const FusedImage& image, size_t first, int cells, ops::Rows<const int32_t> acc) const override {
    const uint32_t width = block_.width();
    int16_t* out = reinterpret_cast<int16_t*>(image.spare) + first * width;
    ops::AddToS16(kernels_, block_.rq, acc, {image.narrow() + first * width, width}, cells, {out, width});
    kernels_.gelu_s16({out, static_cast<size_t>(cells) * width, static_cast<int>(block_.unit_bits)});
  }

  const MbConv& block_;
};

}  // namespace

FusedMemory MemoryOf(const MbConv& block) { return FusedBottleneck::Memory(block, sizeof(int16_t), sizeof(int16_t)); }

std::unique_ptr<FusedLayer> MakeFused(const MbConv& block, const Kernels& kernels) {
  return std::make_unique<FusedMbConv>(block, kernels);
}

}  // namespace intsam::internal
