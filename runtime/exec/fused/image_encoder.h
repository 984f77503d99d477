// The image encoder of the fused executor: runs the layers' fused forms one after the other.
#ifndef INTSAM_RUNTIME_EXEC_FUSED_IMAGE_ENCODER_H_
#define INTSAM_RUNTIME_EXEC_FUSED_IMAGE_ENCODER_H_

#include <memory>
#include <span>
#include <vector>

#include "runtime/base/arena.h"
#include "runtime/base/thread_pool.h"
#include "runtime/encoder/layers.h"
#include "runtime/exec/executor.h"

namespace intsam::internal {

// Bytes of the two buffers that layers with such needs hand to each other, the stream first.
struct StreamSizes {
  size_t stream = 0, spare = 0;
};
StreamSizes SizesOf(std::span<const FusedMemory> needs);

class FusedImageEncoder {
 public:
  // Both must outlive the encoder.
  FusedImageEncoder(const std::vector<EncoderLayer>& layers, const Kernels& kernels);

  struct Buffers {
    uint8_t *stream, *spare;
    std::vector<uint8_t*> workers;
  };
  static void Layout(const std::vector<EncoderLayer>& layers, Arena& arena, Buffers& buffers);

  // As Executor::EncodeImage.
  Status Run(const uint8_t* rgb, ImageSize size, const Buffers& buffers, Parallel& parallel, int16_t* embedding,
             const StepHook& hook) const;

 private:
  const std::vector<EncoderLayer>& layers_;
  std::vector<std::unique_ptr<FusedLayer>> fused_;  // of each
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_FUSED_IMAGE_ENCODER_H_
