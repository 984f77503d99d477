// Every kind's passes, for those who visit the list of layers.
#ifndef INTSAM_CONVERTER_ENCODER_LAYERS_H_
#define INTSAM_CONVERTER_ENCODER_LAYERS_H_

#include <vector>

#include "converter/encoder/biased_attention/biased_attention.h"
#include "converter/encoder/conv_stem/conv_stem.h"
#include "converter/encoder/local_conv/local_conv.h"
#include "converter/encoder/mb_conv/mb_conv.h"
#include "converter/encoder/mlp/mlp.h"
#include "converter/encoder/neck/neck.h"
#include "converter/encoder/patch_embed/patch_embed.h"
#include "converter/encoder/patch_merging/patch_merging.h"
#include "converter/encoder/window_attention/window_attention.h"
#include "converter/sam_constants.h"
#include "runtime/encoder/layers.h"

namespace intsam::internal {

// Where each layer of the list stands.
inline std::vector<LayerPlace> PlacesOf(const SamConfig& config, const std::vector<EncoderLayer>& layers) {
  const double epsilon = config.family == kVit ? kVitEpsilon : kTinyVitEpsilon;
  std::vector<LayerPlace> places;
  for (const EncoderLayer& layer : layers)
    places.push_back({layer.path(), places.empty() ? "" : places.back().output, layer.map, epsilon});
  return places;
}

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_ENCODER_LAYERS_H_
