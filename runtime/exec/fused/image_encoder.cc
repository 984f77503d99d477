#include "runtime/exec/fused/image_encoder.h"

#include <algorithm>
#include <variant>

#include "runtime/encoder/fused.h"

namespace intsam::internal {

StreamSizes SizesOf(std::span<const FusedMemory> needs) {
  StreamSizes sizes;
  size_t *stream = &sizes.stream, *spare = &sizes.spare;
  for (const FusedMemory& layer : needs) {
    *stream = std::max(*stream, layer.stream);
    *spare = std::max(*spare, layer.spare);
    if (layer.swaps) std::swap(stream, spare);
  }
  return sizes;
}

FusedImageEncoder::FusedImageEncoder(const std::vector<EncoderLayer>& layers, const Kernels& kernels)
    : layers_(layers) {
  for (const EncoderLayer& layer : layers) {
    fused_.push_back(std::visit([&](const auto& record) { return MakeFused(record, kernels); }, layer.kind));
  }
}

void FusedImageEncoder::Layout(const std::vector<EncoderLayer>& layers, Arena& arena, Buffers& buffers) {
  std::vector<FusedMemory> needs;
  size_t worker = 0;
  for (const EncoderLayer& layer : layers) {
    needs.push_back(std::visit([](const auto& record) { return MemoryOf(record); }, layer.kind));
    worker = std::max(worker, needs.back().worker);
  }
  const StreamSizes sizes = SizesOf(needs);
  buffers.stream = arena.Take<uint8_t>(sizes.stream);
  buffers.spare = arena.Take<uint8_t>(sizes.spare);
  for (uint8_t*& scratch : buffers.workers) scratch = arena.Take<uint8_t>(worker);
}

Status FusedImageEncoder::Run(const uint8_t* rgb, ImageSize size, const Buffers& buffers, Parallel& parallel,
                              int16_t* embedding, const StepHook& hook) const {
  FusedImage image{rgb, size, embedding, buffers.stream, buffers.spare, buffers.workers, parallel};
  const int count = static_cast<int>(fused_.size());
  for (int i = 0; i < count; ++i) {
    const size_t index = static_cast<size_t>(i);
    if (hook && !hook(layers_[index].step, i, count)) return Error(Code::kCancelled, "cancelled");
    fused_[index]->Run(image);
  }
  return Status();
}

}  // namespace intsam::internal
