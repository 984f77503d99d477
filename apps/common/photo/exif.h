// The one field of EXIF that matters for pixels.
#ifndef INTSAM_APPS_COMMON_PHOTO_EXIF_H_
#define INTSAM_APPS_COMMON_PHOTO_EXIF_H_

#include <cstdint>
#include <span>

namespace intsam::internal {

// The orientation (tag 0x0112, 1..8) in an EXIF block, with or without its introduction "Exif\0\0", in either byte
// order (EXIF 2.3 section 4.6). 1 where the block is not readable: it is only a hint.
int ExifOrientation(std::span<const uint8_t> block);

// Whether a JPEG's APP1 segment holds EXIF; others hold XMP.
bool IsExif(std::span<const uint8_t> block);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_EXIF_H_
