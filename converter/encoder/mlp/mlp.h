// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_MLP_MLP_H_
#define INTSAM_CONVERTER_ENCODER_MLP_MLP_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/mlp/mlp.h"

namespace intsam::internal {

void AddKeys(const MlpBlock& mlp, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const MlpBlock& mlp, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout);
void AddSites(const MlpBlock& mlp, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, MlpBlock& mlp);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_MLP_MLP_H_
