// Which kind of file this is, by its first bytes.
#ifndef INTSAM_APPS_COMMON_PHOTO_PHOTO_FORMAT_H_
#define INTSAM_APPS_COMMON_PHOTO_PHOTO_FORMAT_H_

#include <cstdint>
#include <span>

#include "apps/common/photo/decoders.h"

namespace intsam::internal {

struct PhotoFormat {
  const char* name;  // as people write it: "WebP"
  DecodeFunction* decode;
  LibraryFunction* library;
};

// The format of the file, one that this build reads. Otherwise kDamaged for an empty file, kUnsupported with what the
// file is ("a GIF picture; this build reads PNG, JPEG").
Result<const PhotoFormat*> RecognisePhoto(std::span<const uint8_t> file);

// All formats this build reads and its libraries have decoders for.
std::span<const PhotoFormat> BuiltPhotoFormats();

bool IsPng(std::span<const uint8_t> file);  // also a beginning of one

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_PHOTO_FORMAT_H_
