// What flows through the layers of TinyViT: a feature map whose grid and width change from layer to layer, and scratch
// that all layers share, so that the largest one decides about memory.
#ifndef INTSAM_CONVERTER_FP32_STREAM_H_
#define INTSAM_CONVERTER_FP32_STREAM_H_

#include <utility>

#include "converter/fp32/context.h"

namespace intsam::internal::fp32 {

struct Stream {
  Buffer x;     // the map, [pixel][channel]; each layer knows its size
  Buffer next;  // where a layer that replaces the map puts the new one
  Buffer hidden, hidden2;

  void Advance() { std::swap(x, next); }
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_STREAM_H_
