// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_NECK_NECK_H_
#define INTSAM_CONVERTER_ENCODER_NECK_NECK_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/neck/neck.h"

namespace intsam::internal {

void AddKeys(const Neck& neck, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const Neck& neck, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout);
void AddSites(const Neck& neck, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, Neck& neck);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_NECK_NECK_H_
