#include "runtime/exec/reference/reference_executor.h"

#include "runtime/exec/reference/image_encoder.h"
#include "runtime/exec/reference/mask_decoder.h"

namespace intsam::internal {
namespace {

class ReferenceExecutor : public Executor {
 public:
  explicit ReferenceExecutor(const IntegerModel& model) : prepared_(model, ScalarKernels()) {}

  Status EncodeImage(const uint8_t* rgb, ImageSize size, int16_t* embedding, const StepHook& hook) override {
    return reference::EncodeImage(prepared_.model->image_encoder, rgb, size, embedding, hook);
  }
  void SetEmbedding(const int16_t* embedding, const Frame& frame) override { embedding_ = embedding, frame_ = frame; }
  Status Decode(const Prompt& prompt, int16_t* low_res, int16_t* iou, const StepHook& hook) override {
    return reference::Decode(prepared_, embedding_, frame_, prompt, low_res, iou, hook);
  }
  Status DecodeBatch(std::span<const Prompt> prompts, int16_t* low_res, int16_t* iou, const StepHook& hook) override {
    const SamConfig& c = prepared_.model->config;
    const size_t masks = c.num_masks(), values = masks * c.low_res_values();
    for (size_t i = 0; i < prompts.size(); ++i) {
      INTSAM_TRY(Decode(prompts[i], low_res + i * values, iou + i * masks, hook));
    }
    return Status();
  }
  size_t memory() const override { return 0; }

 private:
  PreparedModel prepared_;
  const int16_t* embedding_ = nullptr;
  Frame frame_;
};

}  // namespace

std::unique_ptr<Executor> MakeReferenceExecutor(const IntegerModel& model) {
  return std::make_unique<ReferenceExecutor>(model);
}

}  // namespace intsam::internal
