#include "converter/pack/decoder_part.h"

namespace intsam::internal {

IntegerModel DecoderPart(const IntegerModel& whole, const Sha256Digest& identity) {
  IntegerModel part = whole;
  part.config.embedding_cell = whole.config.cell();
  part.config.family = kNoEncoder;
  part.config.vit = {};
  part.config.tiny_vit = {};
  part.image_encoder.layers.clear();
  part.image_encoder.identity = identity;
  return part;
}

}  // namespace intsam::internal
