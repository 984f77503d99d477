// What flows through the layers of an image encoder in F32, and scratch that all layers share, so that the largest one
// decides about memory.
#ifndef INTSAM_CONVERTER_FP32_LAYER_H_
#define INTSAM_CONVERTER_FP32_LAYER_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "converter/fp32/attention.h"
#include "converter/fp32/context.h"

namespace intsam::internal::fp32 {

// One head of one window, contiguous.
struct HeadBuffers {
  Buffer q, k, v, rel_h, rel_w;
};

struct Stream {
  const uint8_t* rgb = nullptr;  // [height][width][3], resized to the model's longest side
  uint32_t height = 0, width = 0;
  Buffer x;     // the map, [pixel][channel]; each layer knows its size
  Buffer next;  // where a layer that replaces the map puts the new one; scratch of others
  Buffer hidden, hidden2;
  std::vector<float> embedding;  // [grid * grid][prompt_embed_dim]: what the neck leaves

  // Of attention: all tokens, then heads of one window after the other.
  Buffer q, k, v, attended;
  struct Thread {
    HeadBuffers head;
    StripScratch strip;
    Buffer out;
  };
  std::vector<Thread> threads;
  std::vector<HeadBuffers> heads;  // of one window that all threads work on

  void Advance() { std::swap(x, next); }
};

class Layer {
 public:
  virtual ~Layer() = default;
  virtual void Run(Stream& stream) = 0;
};

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_LAYER_H_
