#include "converter/encoder/bottleneck/fp32.h"

#include <algorithm>

#include "converter/fp32/ops.h"

namespace intsam::internal::fp32 {

Bottleneck::Bottleneck(const Context& context, const intsam::internal::Bottleneck& shape, const std::string& path,
                       WeightLayout layout)
    : context_(context),
      name_(path),
      side_(shape.grid),
      stride_(shape.stride),
      cells_(shape.cells()),
      out_cells_(shape.out_cells()),
      in_(shape.width()),
      hidden_(shape.hidden()),
      depthwise_(ChannelLast(context.model.at(path + ".conv2.weight"), 1, hidden_, 3)),
      conv1_(context.pool, context.Tensor(path + ".conv1.weight"), in_, hidden_,
             layout == WeightLayout::kPacked ? cells_ : 0, context.library),
      conv3_(context.pool, context.Tensor(path + ".conv3.weight"), hidden_, shape.out(),
             layout == WeightLayout::kPacked ? out_cells_ : 0, context.library) {}

void Bottleneck::Run(const float* x, Stream& stream, float* out) const {
  Parallel& pool = context_.pool;
  const size_t pixels = cells_, small = out_cells_;
  float* hidden = stream.hidden.Resize(pixels * hidden_);
  if (context_.hook) {
    float* copy = stream.hidden2.Resize(pixels * in_);
    std::copy_n(x, pixels * in_, copy);
    context_.Site(name_, ".conv1.in", copy, pixels, in_);
    x = copy;
  }
  conv1_.Run(x, pixels, hidden);
  const float* bias = context_.Tensor(name_ + ".conv1.bias");
  if (context_.hook) {
    AddBias(pool, hidden, pixels, hidden_, bias);
    context_.Site(name_, ".conv1.out", hidden, pixels, hidden_);
    bias = nullptr;
  }
  BiasGelu(pool, hidden, pixels, hidden_, bias);
  context_.Site(name_, ".conv2.in", hidden, pixels, hidden_);

  float* convolved = stream.hidden2.Resize(small * hidden_);
  Depthwise3x3(pool, hidden, side_, hidden_, stride_, depthwise_.data(), context_.Tensor(name_ + ".conv2.bias"),
               convolved);
  context_.Site(name_, ".conv2.out", convolved, small, hidden_);
  BiasGelu(pool, convolved, small, hidden_, nullptr);
  context_.Site(name_, ".conv3.in", convolved, small, hidden_);
  conv3_.Run(convolved, small, out);
}

}  // namespace intsam::internal::fp32
