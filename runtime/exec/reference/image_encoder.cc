#include "runtime/exec/reference/image_encoder.h"

#include <variant>

#include "runtime/encoder/reference.h"

namespace intsam::internal::reference {

Status EncodeImage(const ImageEncoder& encoder, const uint8_t* rgb, ImageSize size, int16_t* embedding,
                   const StepHook& hook) {
  ReferenceImage image{.rgb = rgb, .size = size, .x = {0, 0}, .embedding = embedding};
  const int count = static_cast<int>(encoder.layers.size());
  for (int i = 0; i < count; ++i) {
    const EncoderLayer& layer = encoder.layers[static_cast<size_t>(i)];
    if (hook && !hook(layer.step, i, count)) return Error(Code::kCancelled, "cancelled");
    std::visit([&](const auto& record) { RunReference(record, image); }, layer.kind);
  }
  return Status();
}

}  // namespace intsam::internal::reference
