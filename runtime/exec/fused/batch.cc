#include "runtime/exec/fused/batch.h"

#include <exception>

namespace intsam::internal {
namespace {

// Inside a lane everything runs on the lane's worker.
class OneWorker : public Parallel {
 public:
  int workers() const override { return 1; }
  void For(int count, Task task) override {
    for (int i = 0; i < count; ++i) task(i, 0);
  }
};

Parallel& Inline() {
  static OneWorker inline_worker;
  return inline_worker;
}

}  // namespace

DecoderLanes::DecoderLanes(const PreparedModel& prepared, int count) : config_(prepared.model->config) {
  FusedMaskDecoder::Buffers counted;
  Arena counting(nullptr);
  FusedMaskDecoder::Layout(config_, counting, counted);
  const size_t lane_bytes = counting.used();
  bytes_ = lane_bytes * static_cast<size_t>(count) + Arena::kAlignment;
  memory_ = Arena::Block(bytes_);
  uint8_t* base = Arena::Align(memory_.get());
  lanes_.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i, base += lane_bytes) {
    lanes_.push_back({FusedMaskDecoder(prepared, Inline()), {}, {}});
    Arena arena(base);
    FusedMaskDecoder::Layout(config_, arena, lanes_.back().buffers);
    lanes_.back().buffers.workers.resize(1);
  }
}

Status DecoderLanes::Run(const Prompt* prompts, FusedMaskDecoder::ImageSide& image,
                         const std::vector<FusedMaskDecoder::Worker>& workers, Parallel& parallel, int16_t* low_res,
                         int16_t* iou) {
  const size_t masks = config_.num_masks(), values = masks * config_.low_res_values();
  parallel.For(count(), [&](int index, int worker) {
    const size_t i = static_cast<size_t>(index);
    Lane& lane = lanes_[i];
    lane.buffers.workers[0] = workers[static_cast<size_t>(worker)];
    // An exception must not leave a thread. The sentence needs no memory.
    try {
      lane.status = lane.decoder.Run(prompts[i], image, lane.buffers, low_res + i * values, iou + i * masks, {});
    } catch (const std::exception&) {
      lane.status = Status(Code::kResource, "out of memory");
    }
  });
  for (Lane& lane : lanes_) INTSAM_TRY(lane.status);
  return Status();
}

}  // namespace intsam::internal
