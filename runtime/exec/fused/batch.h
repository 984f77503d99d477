// Many prompts on one image, one per worker: in a batch the work on tokens, which is too small to split, runs on all
// workers as well.
#ifndef INTSAM_RUNTIME_EXEC_FUSED_BATCH_H_
#define INTSAM_RUNTIME_EXEC_FUSED_BATCH_H_

#include <memory>
#include <vector>

#include "runtime/exec/fused/mask_decoder.h"

namespace intsam::internal {

// Decoders that run side by side, each with image keys and tokens of its own and the scratch of the worker that runs
// it.
class DecoderLanes {
 public:
  static constexpr int kMaxLanes = 8;  // bounds the memory: a lane of SAM-B is 14 MiB

  DecoderLanes(const PreparedModel& prepared, int count);

  int count() const { return static_cast<int>(lanes_.size()); }
  size_t memory() const { return bytes_; }

  // Answers count() prompts. `image` has its projections if a prompt needs them; `workers` is scratch.
  Status Run(const Prompt* prompts, FusedMaskDecoder::ImageSide& image,
             const std::vector<FusedMaskDecoder::Worker>& workers, Parallel& parallel, int16_t* low_res, int16_t* iou);

 private:
  struct Lane {
    FusedMaskDecoder decoder;
    FusedMaskDecoder::Buffers buffers;
    Status status;
  };
  const SamConfig& config_;
  size_t bytes_;
  std::unique_ptr<uint8_t[]> memory_;
  std::vector<Lane> lanes_;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_FUSED_BATCH_H_
