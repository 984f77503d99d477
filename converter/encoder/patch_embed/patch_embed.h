// See converter/encoder/kind.h.
#ifndef INTSAM_CONVERTER_ENCODER_PATCH_EMBED_PATCH_EMBED_H_
#define INTSAM_CONVERTER_ENCODER_PATCH_EMBED_PATCH_EMBED_H_

#include <memory>
#include <string>

#include "converter/encoder/kind.h"
#include "runtime/encoder/patch_embed/patch_embed.h"

namespace intsam::internal {

void AddKeys(const PatchEmbed& embed, const std::string& path, SpecList& list);
std::unique_ptr<fp32::Layer> MakeFloat(const PatchEmbed& embed, const LayerPlace& place, const fp32::Context& context,
                                       WeightLayout layout);
void AddSites(const PatchEmbed& embed, const std::string& path, QuantizedSites& sites);
void Quantize(const EncoderQuantization& encoder, const LayerPlace& place, PatchEmbed& embed);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_PATCH_EMBED_PATCH_EMBED_H_
