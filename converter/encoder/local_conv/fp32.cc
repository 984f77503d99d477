#include "converter/encoder/local_conv/local_conv.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/ops.h"

namespace intsam::internal {
namespace fp32 {
namespace {

class LocalConv : public Layer {
 public:
  LocalConv(const Context& context, const intsam::internal::LocalConv& shape, const LayerPlace& place)
      : context_(context),
        name_(place.path + ".local_conv"),
        map_(place.output),
        side_(shape.grid),
        width_(shape.width()),
        depthwise_(ChannelLast(context.model.at(name_ + ".weight"), 1, width_, 3)) {}

  void Run(Stream& stream) override {
    float* y = stream.next.Resize(side_ * side_ * width_);
    context_.Site(name_, ".in", stream.x.data(), side_ * side_, width_);
    Depthwise3x3(context_.pool, stream.x.data(), side_, width_, 1, depthwise_.data(), context_.Tensor(name_ + ".bias"),
                 y);
    context_.Site(map_, "", y, side_ * side_, width_);
    stream.Advance();
  }

 private:
  const Context& context_;
  const std::string name_, map_;
  const size_t side_, width_;
  const std::vector<float> depthwise_;  // [tap][channel]
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const LocalConv& layer, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout) {
  return std::make_unique<fp32::LocalConv>(context, layer, place);
}

}  // namespace intsam::internal
