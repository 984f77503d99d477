// An image on its way through the layers' normative forms, which allocate as they go and are slow.
#ifndef INTSAM_RUNTIME_ENCODER_REFERENCE_H_
#define INTSAM_RUNTIME_ENCODER_REFERENCE_H_

#include <cstdint>

#include "runtime/image/resize.h"
#include "runtime/ops/tensors.h"

namespace intsam::internal {

struct ReferenceImage {
  const uint8_t* rgb;  // [size.height][size.width][3], the longest side filling the input
  ImageSize size;
  reference::Tensor<int32_t> x{0, 0};       // between layers: R24 [tokens][width]
  reference::Tensor<int16_t> narrow{0, 0};  // the same where the stream is s16
  int16_t* embedding;                       // [tokens][prompt_embed_dim], key units
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_REFERENCE_H_
