// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_MB_CONV_MB_CONV_H_
#define INTSAM_CONVERTER_ENCODER_MB_CONV_MB_CONV_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/mb_conv/mb_conv.h"

namespace intsam::internal {

void AddKeys(const MbConv& block, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const MbConv& block, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout);
void AddSites(const MbConv& block, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, MbConv& block);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_MB_CONV_MB_CONV_H_
