#include "runtime/exec/fused/fused_executor.h"

#include <algorithm>

#include "runtime/exec/fused/batch.h"
#include "runtime/exec/fused/image_encoder.h"
#include "runtime/exec/fused/mask_decoder.h"

namespace intsam::internal {
namespace {

// Image encoder and mask decoder never run at the same time: they share one block of memory. What the decoder keeps
// from prompt to prompt lies behind it.
struct Plan {
  FusedImageEncoder::Buffers encoder;
  FusedMaskDecoder::Buffers decoder;
  FusedMaskDecoder::ImageSide image;
  size_t bytes = 0;

  Plan(const IntegerModel& model, int workers, uint8_t* base) {
    encoder.workers.resize(static_cast<size_t>(workers));
    decoder.workers.resize(static_cast<size_t>(workers));
    Arena encoding(base), decoding(base);
    FusedImageEncoder::Layout(model.image_encoder.layers, encoding, encoder);
    FusedMaskDecoder::Layout(model.config, decoding, decoder);
    Arena keeping = Arena::Behind(encoding, decoding);
    FusedMaskDecoder::Layout(model.config, keeping, image);
    bytes = keeping.used();
  }
};

class FusedExecutor : public Executor {
 public:
  FusedExecutor(const PreparedModel& prepared, Parallel& parallel)
      : prepared_(prepared),
        parallel_(parallel),
        memory_(Arena::Block(FusedArenaBytes(*prepared.model, parallel.workers()))),
        plan_(*prepared.model, parallel.workers(), Arena::Align(memory_.get())),
        encoder_(prepared.model->image_encoder.layers, *prepared.kernels),
        decoder_(prepared, parallel) {}

  Status EncodeImage(const uint8_t* rgb, ImageSize size, int16_t* embedding, const StepHook& hook) override {
    return encoder_.Run(rgb, size, plan_.encoder, parallel_, embedding, hook);
  }

  void SetEmbedding(const int16_t* embedding, const Frame& frame) override {
    plan_.image.embedding = embedding, plan_.image.frame = frame, plan_.image.projected = false;
  }

  Status Decode(const Prompt& prompt, int16_t* low_res, int16_t* iou, const StepHook& hook) override {
    return decoder_.Run(prompt, plan_.image, plan_.decoder, low_res, iou, hook);
  }

  // As many prompts at a time as there are lanes; the rest one by one, each on all workers.
  Status DecodeBatch(std::span<const Prompt> prompts, int16_t* low_res, int16_t* iou, const StepHook& hook) override {
    const SamConfig& c = prepared_.model->config;
    const size_t masks = c.num_masks(), values = masks * c.low_res_values();
    const int lanes = std::min(parallel_.workers(), DecoderLanes::kMaxLanes);
    const Step step{"prompts"};
    for (size_t i = 0; i < prompts.size();) {
      if (hook && !hook(step, static_cast<int>(i), static_cast<int>(prompts.size())))
        return Error(Code::kCancelled, "cancelled");
      int16_t *to_low_res = low_res + i * values, *to_iou = iou + i * masks;
      if (lanes == 1 || prompts.size() - i < static_cast<size_t>(lanes)) {
        INTSAM_TRY(decoder_.Run(prompts[i], plan_.image, plan_.decoder, to_low_res, to_iou, {}));
        ++i;
        continue;
      }
      if (lanes_ == nullptr) lanes_ = std::make_unique<DecoderLanes>(prepared_, lanes);
      decoder_.Project(plan_.image, plan_.decoder);
      INTSAM_TRY(lanes_->Run(&prompts[i], plan_.image, plan_.decoder.workers, parallel_, to_low_res, to_iou));
      i += static_cast<size_t>(lanes);
    }
    return Status();
  }

  size_t memory() const override {
    return plan_.bytes + Arena::kAlignment + (lanes_ == nullptr ? 0 : lanes_->memory());
  }

 private:
  const PreparedModel& prepared_;
  Parallel& parallel_;
  std::unique_ptr<uint8_t[]> memory_;
  std::unique_ptr<DecoderLanes> lanes_;  // made by the first batch that has use for them
  Plan plan_;
  FusedImageEncoder encoder_;
  FusedMaskDecoder decoder_;
};

}  // namespace

size_t FusedArenaBytes(const IntegerModel& model, int workers) {
  return Plan(model, workers, nullptr).bytes + Arena::kAlignment;
}

std::unique_ptr<Executor> MakeFusedExecutor(const PreparedModel& prepared, Parallel& parallel) {
  return std::make_unique<FusedExecutor>(prepared, parallel);
}

}  // namespace intsam::internal
