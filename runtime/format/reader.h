// Opens the bytes of an .isam file: structure, ranges, checksums of the small sections, then the proof (proof.h).
// Everything about the file is checked here; nothing after it checks again, and no kernel can fail.
#ifndef INTSAM_RUNTIME_FORMAT_READER_H_
#define INTSAM_RUNTIME_FORMAT_READER_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/base/sha256.h"
#include "runtime/base/status.h"
#include "runtime/format/model.h"

namespace intsam::internal {

struct OpenedModel {
  IntegerModel model;           // views into the bytes
  std::string_view provenance;  // JSON text, into the bytes
};

// `bytes` must stay valid and unchanged for as long as the result is used, and start at a multiple of 64 bytes.
// Errors: kDamaged or kUnsupported with field and reason (the caller adds the file's name).
Result<OpenedModel> ReadModel(std::span<const uint8_t> bytes);

// What a saved embedding names: SHA-256 of the header, which holds the hashes of all sections; for a model without an
// image encoder what it says of the whole model.
Sha256Digest IdentityOf(std::span<const uint8_t> bytes, const IntegerModel& model);

// SHA-256 of the data section against the header: reads the whole file. `bytes` has passed ReadModel.
Status VerifyChecksum(std::span<const uint8_t> bytes);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_FORMAT_READER_H_
