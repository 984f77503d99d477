// The neck behind every image encoder: embedding = norm(conv3x3(norm(conv1x1(x)))), no biases.
#ifndef INTSAM_CONVERTER_ENCODER_NECK_FP32_H_
#define INTSAM_CONVERTER_ENCODER_NECK_FP32_H_

#include <vector>

#include "converter/fp32/layer.h"
#include "converter/fp32/matmul.h"
#include "runtime/encoder/neck/neck.h"

namespace intsam::internal::fp32 {

class Neck : public Layer {
 public:
  Neck(const Context& context, const intsam::internal::Neck& shape);

  void Run(Stream& stream) override;

 private:
  const Context& context_;
  size_t grid_, width_, channels_;
  std::vector<float> weight3x3_;  // channel-last
  Linear conv1x1_, conv3x3_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_ENCODER_NECK_FP32_H_
