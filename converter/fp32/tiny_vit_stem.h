// TinyViT's patch embedding: two 3x3 convolutions of stride 2 with a GELU between them, from pixels to 1/4 of the side.
#ifndef INTSAM_CONVERTER_FP32_TINY_VIT_STEM_H_
#define INTSAM_CONVERTER_FP32_TINY_VIT_STEM_H_

#include <cstdint>
#include <vector>

#include "converter/fp32/context.h"
#include "converter/fp32/layer.h"

namespace intsam::internal::fp32 {

class ConvStem {
 public:
  explicit ConvStem(const Context& context);

  // rgb: [height][width][3], at most image_size per side; the rest of the input is zero after normalization.
  void Run(const uint8_t* rgb, uint32_t height, uint32_t width, Stream& stream);

 private:
  const Context& context_;
  size_t size_, hidden_, width_;          // of the input; channels
  std::vector<float> weight0_, weight2_;  // channel-last
  std::vector<Buffer> patches_;           // of each thread
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_TINY_VIT_STEM_H_
