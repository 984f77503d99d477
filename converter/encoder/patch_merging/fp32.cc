#include "converter/encoder/bottleneck/fp32.h"
#include "converter/encoder/patch_merging/patch_merging.h"
#include "converter/fp32/ops.h"

namespace intsam::internal {
namespace fp32 {
namespace {

class PatchMerging : public Layer {
 public:
  PatchMerging(const Context& context, const intsam::internal::PatchMerging& shape, const LayerPlace& place,
               WeightLayout layout)
      : context_(context),
        map_(place.output),
        out_(shape.out()),
        cells_(shape.out_cells()),
        bottleneck_(context, shape, place.path, layout) {}

  void Run(Stream& stream) override {
    float* y = stream.next.Resize(cells_ * out_);
    bottleneck_.Run(stream.x.data(), stream, y);
    AddBias(context_.pool, y, cells_, out_, bottleneck_.out_bias());
    context_.Site(map_, "", y, cells_, out_);
    stream.Advance();
  }

 private:
  const Context& context_;
  const std::string map_;
  const size_t out_, cells_;
  const Bottleneck bottleneck_;
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const PatchMerging& merging, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout) {
  return std::make_unique<fp32::PatchMerging>(context, merging, place, layout);
}

}  // namespace intsam::internal
