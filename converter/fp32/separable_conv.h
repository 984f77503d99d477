// TinyViT's layers with a depthwise 3x3 convolution: MBConv blocks, patch merging, and the local convolution between
// attention and MLP. `name` is the module path, `stream` the site of the map that a layer leaves behind.
#ifndef INTSAM_CONVERTER_FP32_SEPARABLE_CONV_H_
#define INTSAM_CONVERTER_FP32_SEPARABLE_CONV_H_

#include <string>
#include <vector>

#include "converter/fp32/context.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"

namespace intsam::internal::fp32 {

// conv3(gelu(conv2(gelu(conv1(x))))): 1x1, depthwise 3x3, 1x1.
class SeparableConv {
 public:
  SeparableConv(const Context& context, const std::string& name, size_t side, size_t stride, size_t in, size_t hidden,
                size_t out, WeightLayout layout);

  // out: [(side / stride)^2][out], still without conv3's bias. Leaves x alone, also where a hook changes conv1.in.
  void Run(const float* x, Stream& stream, float* out) const;

  const float* out_bias() const { return context_.Tensor(name_ + ".conv3.bias"); }
  size_t out_pixels() const { return side_ / stride_ * (side_ / stride_); }

 private:
  const Context& context_;
  std::string name_;
  size_t side_, stride_, in_, hidden_;
  std::vector<float> depthwise_;  // [tap][channel]
  Linear conv1_, conv3_;
};

// x = gelu(x + separable(x))
class MbConv {
 public:
  MbConv(const Context& context, const std::string& name, std::string stream, size_t side, size_t width, size_t hidden,
         WeightLayout layout);
  void Run(Stream& stream) const;

 private:
  const Context& context_;
  std::string name_, stream_;
  size_t width_;
  SeparableConv convolutions_;
};

// x = separable(x) on a grid `stride` times coarser, with another width
class PatchMerging {
 public:
  PatchMerging(const Context& context, const std::string& name, std::string stream, size_t side, size_t stride,
               size_t in, size_t out, WeightLayout layout);
  void Run(Stream& stream) const;

 private:
  const Context& context_;
  std::string stream_;
  size_t out_;
  SeparableConv convolutions_;
};

// x = depthwise(x): no residual sum, no activation
class LocalConv {
 public:
  LocalConv(const Context& context, const std::string& name, std::string stream, size_t side, size_t width);
  void Run(Stream& stream) const;

 private:
  const Context& context_;
  std::string name_, stream_;
  size_t side_, width_;
  std::vector<float> depthwise_;  // [tap][channel]
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_SEPARABLE_CONV_H_
