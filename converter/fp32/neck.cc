#include "converter/fp32/neck.h"

#include "converter/fp32/ops.h"

namespace intsam::internal::fp32 {

Neck::Neck(const Context& context, size_t width)
    : context_(context),
      grid_(context.config.grid()),
      width_(width),
      channels_(context.config.prompt_embed_dim),
      weight3x3_(ChannelLast(context.model.at("image_encoder.neck.2.weight"), channels_, channels_, 3)),
      conv1x1_(context.pool, context.Tensor("image_encoder.neck.0.weight"), width, channels_, grid_ * grid_,
               context.library),
      conv3x3_(context.pool, weight3x3_.data(), 9 * channels_, channels_, grid_ * grid_, context.library) {}

std::vector<float> Neck::Run(float* x, Buffer& patch_buffer) const {
  const std::string name = "image_encoder.neck";
  Parallel& pool = context_.pool;
  const size_t cells = grid_ * grid_;
  std::vector<float> y(cells * channels_);
  context_.Site(name, ".0.in", x, cells, width_);
  conv1x1_.Run(x, cells, y.data());
  context_.Site(name, ".0.out", y.data(), cells, channels_);
  LayerNorm(pool, y.data(), cells, channels_, context_.Tensor(name + ".1.weight"), context_.Tensor(name + ".1.bias"),
            kEncoderEpsilon, y.data());
  context_.Site(name, ".2.in", y.data(), cells, channels_);
  float* patches = patch_buffer.Resize(cells * 9 * channels_);
  Patches3x3(pool, y.data(), grid_, channels_, patches);
  conv3x3_.Run(patches, cells, y.data());
  context_.Site(name, ".2.out", y.data(), cells, channels_);
  LayerNorm(pool, y.data(), cells, channels_, context_.Tensor(name + ".3.weight"), context_.Tensor(name + ".3.bias"),
            kEncoderEpsilon, y.data());
  context_.Site(name, ".3.out", y.data(), cells, channels_);
  return y;
}

}  // namespace intsam::internal::fp32
