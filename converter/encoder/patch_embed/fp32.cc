#include <algorithm>
#include <vector>

#include "converter/encoder/patch_embed/patch_embed.h"
#include "converter/fp32/image_pixels.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "converter/fp32/ops.h"
#include "converter/fp32/parallel.h"

namespace intsam::internal {
namespace fp32 {
namespace {

class PatchEmbed : public Layer {
 public:
  PatchEmbed(const Context& context, const intsam::internal::PatchEmbed& shape, const LayerPlace& place)
      : context_(context),
        name_(place.path + ".proj"),
        map_(place.output),
        grid_(shape.grid),
        tokens_(grid_ * grid_),
        patch_(shape.patch),
        width_(shape.out),
        weight_(ChannelLast(context.model.at(name_ + ".weight"), width_, 3, patch_)),
        linear_(context.pool, weight_.data(), shape.in, width_, tokens_, context.library) {}

  void Run(Stream& stream) override {
    const size_t row_values = 3 * patch_;
    float* patches = stream.hidden.Resize(tokens_ * patch_ * row_values);
    ParallelRows(context_.pool, tokens_, patch_ * row_values, [&](size_t begin, size_t end) {
      for (size_t t = begin; t < end; ++t) {
        for (size_t py = 0; py < patch_; ++py) {
          const size_t y = t / grid_ * patch_ + py;
          const size_t x = t % grid_ * patch_;
          float* to = patches + (t * patch_ + py) * row_values;
          const size_t inside = y < stream.height && x < stream.width ? std::min(patch_, stream.width - x) : 0;
          const uint8_t* from = stream.rgb + (y * stream.width + x) * 3;
          for (size_t i = 0; i < inside * 3; ++i) to[i] = Normalized(from[i], i % 3);
          std::fill(to + inside * 3, to + row_values, 0.0f);  // padding is zero after normalization
        }
      }
    });
    float* x = stream.x.Resize(tokens_ * width_);
    linear_.Run(patches, tokens_, x);
    AddResidual(context_.pool, x, context_.Tensor("image_encoder.pos_embed"), tokens_, width_,
                context_.Tensor(name_ + ".bias"));
    context_.Site(map_, "", x, tokens_, width_);
  }

 private:
  const Context& context_;
  const std::string name_, map_;
  const size_t grid_, tokens_, patch_, width_;
  const std::vector<float> weight_;  // channel-last
  const Linear linear_;
};

}  // namespace
}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const PatchEmbed& embed, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout) {
  return std::make_unique<fp32::PatchEmbed>(context, embed, place);
}

}  // namespace intsam::internal
