// The neck behind every image encoder: embedding = norm(conv3x3(norm(conv1x1(x)))), no biases.
#ifndef INTSAM_CONVERTER_FP32_NECK_H_
#define INTSAM_CONVERTER_FP32_NECK_H_

#include <vector>

#include "converter/fp32/context.h"
#include "converter/fp32/matmul.h"

namespace intsam::internal::fp32 {

class Neck {
 public:
  // For a map of the embedding's grid with `width` channels.
  Neck(const Context& context, size_t width);

  // x: [grid * grid][width]; a hook may change it. Result: [grid * grid][prompt_embed_dim]. `patches` is scratch.
  std::vector<float> Run(float* x, Buffer& patches) const;

 private:
  const Context& context_;
  size_t grid_, width_, channels_;
  std::vector<float> weight3x3_;  // channel-last
  Linear conv1x1_, conv3x3_;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_NECK_H_
