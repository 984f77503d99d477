// A quantized model made on the spot: seeded random weights, calibrated on one synthetic image. Needs the converter,
// and is floating point on the way: the same seed need not give the same integers on another machine.
#ifndef INTSAM_TESTS_FORMAT_MICRO_MODEL_H_
#define INTSAM_TESTS_FORMAT_MICRO_MODEL_H_

#include <memory>
#include <string>
#include <variant>

#include "converter/quantize/quantize.h"
#include "tests/format/model_bytes.h"

namespace intsam::internal::testing {

// Bit widths, method and softmax as intsam-convert takes them.
struct Quantization {
  const char* bits = "w8a8";
  const char* method = "minmax";
  const char* softmax = "exact";
};

std::unique_ptr<QuantizedModel> MakeModel(const SamConfig& config, uint64_t seed,
                                          const Quantization& quantization = {});
// Of block i of a ViT.
inline WindowAttention& AttentionOf(IntegerModel& model, size_t i) {
  return std::get<WindowAttention>(model.image_encoder.layers.at(1 + 2 * i).kind);
}
inline MlpBlock& MlpOf(IntegerModel& model, size_t i) {
  return std::get<MlpBlock>(model.image_encoder.layers.at(2 + 2 * i).kind);
}

ModelBytes FileOf(IntegerModel& model, const std::string& provenance);

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FORMAT_MICRO_MODEL_H_
