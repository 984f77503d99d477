#include "converter/encoder/neck/fp32.h"

#include <utility>

#include "converter/encoder/neck/neck.h"
#include "converter/fp32/ops.h"
#include "converter/sam_constants.h"

namespace intsam::internal {
namespace fp32 {

Neck::Neck(const Context& context, const intsam::internal::Neck& shape)
    : context_(context),
      grid_(shape.grid),
      width_(shape.width()),
      channels_(shape.out()),
      weight3x3_(ChannelLast(context.model.at("image_encoder.neck.2.weight"), channels_, channels_, 3)),
      conv1x1_(context.pool, context.Tensor("image_encoder.neck.0.weight"), width_, channels_, grid_ * grid_,
               context.library),
      conv3x3_(context.pool, weight3x3_.data(), 9 * channels_, channels_, grid_ * grid_, context.library) {}

void Neck::Run(Stream& stream) {
  const std::string name = "image_encoder.neck";
  Parallel& pool = context_.pool;
  const size_t cells = grid_ * grid_;
  float* x = stream.x.data();
  std::vector<float> y(cells * channels_);
  context_.Site(name, ".0.in", x, cells, width_);
  conv1x1_.Run(x, cells, y.data());
  context_.Site(name, ".0.out", y.data(), cells, channels_);
  LayerNorm(pool, y.data(), cells, channels_, context_.Tensor(name + ".1.weight"), context_.Tensor(name + ".1.bias"),
            kMapEpsilon, y.data());
  context_.Site(name, ".2.in", y.data(), cells, channels_);
  float* patches = stream.hidden.Resize(cells * 9 * channels_);
  Patches3x3(pool, y.data(), grid_, channels_, patches);
  conv3x3_.Run(patches, cells, y.data());
  context_.Site(name, ".2.out", y.data(), cells, channels_);
  LayerNorm(pool, y.data(), cells, channels_, context_.Tensor(name + ".3.weight"), context_.Tensor(name + ".3.bias"),
            kMapEpsilon, y.data());
  context_.Site(name, ".3.out", y.data(), cells, channels_);
  stream.embedding = std::move(y);
}

}  // namespace fp32

std::unique_ptr<fp32::Layer> MakeFloat(const Neck& neck, const LayerPlace&, const fp32::Context& context,
                                       WeightLayout) {
  return std::make_unique<fp32::Neck>(context, neck);
}

}  // namespace intsam::internal
