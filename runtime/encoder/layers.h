// The layers of an image encoder, in order. EncoderLayers is the only place that knows a family's topology: the file,
// the proof, the executors, the converter and the reports walk the list that it makes.
#ifndef INTSAM_RUNTIME_ENCODER_LAYERS_H_
#define INTSAM_RUNTIME_ENCODER_LAYERS_H_

#include <string>
#include <variant>
#include <vector>

#include "runtime/encoder/biased_attention/biased_attention.h"
#include "runtime/encoder/conv_stem/conv_stem.h"
#include "runtime/encoder/local_conv/local_conv.h"
#include "runtime/encoder/mb_conv/mb_conv.h"
#include "runtime/encoder/mlp/mlp.h"
#include "runtime/encoder/neck/neck.h"
#include "runtime/encoder/patch_embed/patch_embed.h"
#include "runtime/encoder/patch_merging/patch_merging.h"
#include "runtime/encoder/window_attention/window_attention.h"
#include "runtime/sam/config.h"
#include "runtime/sam/steps.h"

namespace intsam::internal {

struct EncoderLayer {
  Step step;          // the official module path: "image_encoder.blocks.3.attn"
  std::string group;  // what the names of its record are below, in the image encoder: "blocks.3"
  std::string map;    // what calibration calls the map that it leaves: "image_encoder.x"; "" behind the neck
  std::variant<PatchEmbed, WindowAttention, MlpBlock, Neck,  // of a ViT
               ConvStem, MbConv, PatchMerging, BiasedAttention,
               LocalConv>  // and, besides MlpBlock and Neck, of TinyViT
      kind;

  std::string path() const { return "image_encoder." + group; }
};

// With all dimensions of a configuration that ValidateConfig accepts; every view is empty. None for kNoEncoder.
std::vector<EncoderLayer> EncoderLayers(const SamConfig& config);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_LAYERS_H_
