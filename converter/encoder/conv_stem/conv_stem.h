// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_CONV_STEM_CONV_STEM_H_
#define INTSAM_CONVERTER_ENCODER_CONV_STEM_CONV_STEM_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/conv_stem/conv_stem.h"

namespace intsam::internal {

void AddKeys(const ConvStem& stem, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const ConvStem& stem, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout);
void AddSites(const ConvStem& stem, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, ConvStem& stem);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_CONV_STEM_CONV_STEM_H_
