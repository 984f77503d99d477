// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_BIASED_ATTENTION_BIASED_ATTENTION_H_
#define INTSAM_CONVERTER_ENCODER_BIASED_ATTENTION_BIASED_ATTENTION_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/biased_attention/biased_attention.h"

namespace intsam::internal {

void AddKeys(const BiasedAttention& attention, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const BiasedAttention& attention, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout);
void AddSites(const BiasedAttention& attention, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, BiasedAttention& attention);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_BIASED_ATTENTION_BIASED_ATTENTION_H_
