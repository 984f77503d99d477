// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_PATCH_MERGING_PATCH_MERGING_H_
#define INTSAM_CONVERTER_ENCODER_PATCH_MERGING_PATCH_MERGING_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/patch_merging/patch_merging.h"

namespace intsam::internal {

void AddKeys(const PatchMerging& merging, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const PatchMerging& merging, const LayerPlace& place,
                                       const fp32::Context& context, WeightLayout layout);
void AddSites(const PatchMerging& merging, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, PatchMerging& merging);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_PATCH_MERGING_PATCH_MERGING_H_
