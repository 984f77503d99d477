#include "converter/fp32/separable_conv.h"

#include <algorithm>
#include <utility>

#include "converter/fp32/ops.h"

namespace intsam::internal::fp32 {

SeparableConv::SeparableConv(const Context& context, const std::string& name, size_t side, size_t stride, size_t in,
                             size_t hidden, size_t out, WeightLayout layout)
    : context_(context),
      name_(name),
      side_(side),
      stride_(stride),
      in_(in),
      hidden_(hidden),
      depthwise_(ChannelLast(context.model.at(name + ".conv2.weight"), 1, hidden, 3)),
      conv1_(context.pool, context.Tensor(name + ".conv1.weight"), in, hidden,
             layout == WeightLayout::kPacked ? side * side : 0, context.library),
      conv3_(context.pool, context.Tensor(name + ".conv3.weight"), hidden, out,
             layout == WeightLayout::kPacked ? out_pixels() : 0, context.library) {}

void SeparableConv::Run(const float* x, Stream& stream, float* out) const {
  Parallel& pool = context_.pool;
  const size_t pixels = side_ * side_, small = out_pixels();
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

MbConv::MbConv(const Context& context, const std::string& name, std::string stream, size_t side, size_t width,
               size_t hidden, WeightLayout layout)
    : context_(context),
      name_(name),
      stream_(std::move(stream)),
      width_(width),
      convolutions_(context, name, side, 1, width, hidden, width, layout) {}

void MbConv::Run(Stream& stream) const {
  Parallel& pool = context_.pool;
  const size_t pixels = convolutions_.out_pixels();
  float* x = stream.x.data();
  float* y = stream.next.Resize(pixels * width_);
  convolutions_.Run(x, stream, y);
  if (context_.hook) {
    AddBias(pool, y, pixels, width_, convolutions_.out_bias());
    context_.Site(name_, ".conv3.out", y, pixels, width_);
    Add(pool, x, y, pixels * width_, x);
  } else {
    AddResidual(pool, x, y, pixels, width_, convolutions_.out_bias());
  }
  context_.Site(name_, ".sum", x, pixels, width_);
  BiasGelu(pool, x, pixels, width_, nullptr);
  context_.Site(stream_, "", x, pixels, width_);
}

PatchMerging::PatchMerging(const Context& context, const std::string& name, std::string stream, size_t side,
                           size_t stride, size_t in, size_t out, WeightLayout layout)
    : context_(context),
      stream_(std::move(stream)),
      out_(out),
      convolutions_(context, name, side, stride, in, out, out, layout) {}

void PatchMerging::Run(Stream& stream) const {
  const size_t pixels = convolutions_.out_pixels();
  float* y = stream.next.Resize(pixels * out_);
  convolutions_.Run(stream.x.data(), stream, y);
  AddBias(context_.pool, y, pixels, out_, convolutions_.out_bias());
  context_.Site(stream_, "", y, pixels, out_);
  stream.Advance();
}

LocalConv::LocalConv(const Context& context, const std::string& name, std::string stream, size_t side, size_t width)
    : context_(context),
      name_(name),
      stream_(std::move(stream)),
      side_(side),
      width_(width),
      depthwise_(ChannelLast(context.model.at(name + ".weight"), 1, width, 3)) {}

void LocalConv::Run(Stream& stream) const {
  float* y = stream.next.Resize(side_ * side_ * width_);
  context_.Site(name_, ".in", stream.x.data(), side_ * side_, width_);
  Depthwise3x3(context_.pool, stream.x.data(), side_, width_, 1, depthwise_.data(), context_.Tensor(name_ + ".bias"),
               y);
  context_.Site(stream_, "", y, side_ * side_, width_);
  stream.Advance();
}

}  // namespace intsam::internal::fp32
