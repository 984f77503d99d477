// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_WINDOW_ATTENTION_WINDOW_ATTENTION_H_
#define INTSAM_CONVERTER_ENCODER_WINDOW_ATTENTION_WINDOW_ATTENTION_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/window_attention/window_attention.h"

namespace intsam::internal {

void AddKeys(const WindowAttention& attention, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const WindowAttention& attention, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout);
void AddSites(const WindowAttention& attention, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, WindowAttention& attention);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_WINDOW_ATTENTION_WINDOW_ATTENTION_H_
