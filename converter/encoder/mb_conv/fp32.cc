#include "converter/encoder/bottleneck/fp32.h"
#include "converter/encoder/mb_conv/mb_conv.h"
#include "converter/fp32/ops.h"

namespace intsam::internal {
namespace fp32 {
namespace {

class MbConv : public Layer {
 public:
  MbConv(const Context& context, const intsam::internal::MbConv& shape, const LayerPlace& place, WeightLayout layout)
      : context_(context),
        map_(place.output),
        width_(shape.width()),
        cells_(shape.cells()),
        bottleneck_(context, shape, place.path, layout) {}

  // The sum before the GELU counts as the map too: both have one unit.
  void Run(Stream& stream) override {
    float* x = stream.x.data();
    float* y = stream.next.Resize(cells_ * width_);
    bottleneck_.Run(x, stream, y);
    AddResidual(context_.pool, x, y, cells_, width_, bottleneck_.out_bias());
    context_.Site(map_, "", x, cells_, width_);
    BiasGelu(context_.pool, x, cells_, width_, nullptr);
    context_.Site(map_, "", x, cells_, width_);
  }

 private:
  const Context& context_;
  const std::string map_;
  const size_t width_, cells_;
  const Bottleneck bottleneck_;
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const MbConv& block, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout) {
  return std::make_unique<fp32::MbConv>(context, block, place, layout);
}

}  // namespace intsam::internal
