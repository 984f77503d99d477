// The decoder of a model as a model of its own, for programs that get their embeddings from elsewhere.
#ifndef INTSAM_CONVERTER_PACK_DECODER_PART_H_
#define INTSAM_CONVERTER_PACK_DECODER_PART_H_

#include "runtime/base/sha256.h"
#include "runtime/format/model.h"

namespace intsam::internal {

// Views into what `whole` and `identity` (IdentityOf of its file) point to. `whole` may be such a part already.
IntegerModel DecoderPart(const IntegerModel& whole, const Sha256Digest& identity);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_PACK_DECODER_PART_H_
