// What MBConv and patch merging have in common, in F32: conv3(gelu(conv2(gelu(conv1(x))))), 1x1, depthwise 3x3, 1x1.
#ifndef INTSAM_CONVERTER_ENCODER_BOTTLENECK_FP32_H_
#define INTSAM_CONVERTER_ENCODER_BOTTLENECK_FP32_H_

#include <string>
#include <vector>

#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "runtime/encoder/bottleneck/bottleneck.h"

namespace intsam::internal::fp32 {

class Bottleneck {
 public:
  // `path` is the module's.
  Bottleneck(const Context& context, const intsam::internal::Bottleneck& shape, const std::string& path,
             WeightLayout layout);

  // out: [out_cells][out], still without conv3's bias. Leaves x alone, also where a hook changes conv1.in.
  void Run(const float* x, Stream& stream, float* out) const;

  const float* out_bias() const { return context_.Tensor(name_ + ".conv3.bias"); }

 private:
  const Context& context_;
  std::string name_;
  size_t side_, stride_, cells_, out_cells_, in_, hidden_;
  std::vector<float> depthwise_;  // [tap][channel]
  Linear conv1_, conv3_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_ENCODER_BOTTLENECK_FP32_H_
