// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_LOCAL_CONV_LOCAL_CONV_H_
#define INTSAM_CONVERTER_ENCODER_LOCAL_CONV_LOCAL_CONV_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/local_conv/local_conv.h"

namespace intsam::internal {

void AddKeys(const LocalConv& layer, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const LocalConv& layer, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout);
void AddSites(const LocalConv& layer, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, LocalConv& layer);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_LOCAL_CONV_LOCAL_CONV_H_
