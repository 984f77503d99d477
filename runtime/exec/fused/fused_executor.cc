#include "runtime/exec/fused/fused_executor.h"

#include <algorithm>

#include "runtime/exec/fused/image_encoder.h"
#include "runtime/exec/fused/mask_decoder.h"

namespace intsam {
namespace {

// Image encoder and mask decoder never run at the same time: they share one block of memory. What the decoder keeps
// from prompt to prompt lies behind it.
struct Plan {
  FusedImageEncoder::Buffers encoder;
  FusedMaskDecoder::Buffers decoder;
  FusedMaskDecoder::ImageSide image;
  size_t bytes = 0;

  Plan(const SamConfig& config, int workers, uint8_t* base) {
    encoder.workers.resize(static_cast<size_t>(workers));
    decoder.workers.resize(static_cast<size_t>(workers));
    Arena encoding(base), decoding(base);
    FusedImageEncoder::Layout(config, encoding, encoder);
    FusedMaskDecoder::Layout(config, decoding, decoder);
    const size_t shared = std::max(encoding.used(), decoding.used());
    Arena keeping(base == nullptr ? nullptr : base + shared);
    FusedMaskDecoder::Layout(config, keeping, image);
    bytes = shared + keeping.used();
  }
};

class FusedExecutor : public Executor {
 public:
  FusedExecutor(const PreparedModel& prepared, Parallel& parallel)
      : memory_(std::make_unique_for_overwrite<uint8_t[]>(FusedArenaBytes(prepared.model->config, parallel.workers()))),
        plan_(prepared.model->config, parallel.workers(), AlignedBase()),
        encoder_(prepared, parallel),
        decoder_(prepared, parallel) {}

  Status EncodeImage(const uint8_t* rgb, ImageSize size, int16_t* embedding, const StepHook& hook) override {
    return encoder_.Run(rgb, size, plan_.encoder, embedding, hook);
  }

  void SetEmbedding(const int16_t* embedding, const Frame& frame) override {
    plan_.image.embedding = embedding, plan_.image.frame = frame, plan_.image.projected = false;
  }

  Status Decode(const Prompt& prompt, int16_t* low_res, int16_t* iou, const StepHook& hook) override {
    return decoder_.Run(prompt, plan_.image, plan_.decoder, low_res, iou, hook);
  }

 private:
  uint8_t* AlignedBase() const { return memory_.get() + (-reinterpret_cast<uintptr_t>(memory_.get())) % 64; }

  std::unique_ptr<uint8_t[]> memory_;
  Plan plan_;
  FusedImageEncoder encoder_;
  FusedMaskDecoder decoder_;
};

}  // namespace

size_t FusedArenaBytes(const SamConfig& config, int workers) { return Plan(config, workers, nullptr).bytes + 64; }

std::unique_ptr<Executor> MakeFusedExecutor(const PreparedModel& prepared, Parallel& parallel) {
  return std::make_unique<FusedExecutor>(prepared, parallel);
}

}  // namespace intsam
