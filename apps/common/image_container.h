// What an image file says about itself, read without decoding any pixel: the container is walked from start to end, so
// that truncation and (for PNG) every flipped bit is found before the decoder sees the data. Pure functions over bytes.
#ifndef INTSAM_APPS_COMMON_IMAGE_CONTAINER_H_
#define INTSAM_APPS_COMMON_IMAGE_CONTAINER_H_

#include <cstdint>
#include <span>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

struct ImageHeader {
  bool png = false;  // else JPEG
  ImageSize size;    // as stored, before `orientation` is applied
  int channels = 0;  // as stored; a palette counts as one
  int bits = 8;      // per channel
  bool palette = false;
  int orientation = 1;  // EXIF tag 0x0112: 1..8, see ApplyOrientation; 1 for PNG
};

// PNG: signature, chunk lengths, CRCs, IHDR, IEND. JPEG: markers up to the end of the image, frame header, EXIF
// orientation (an unreadable EXIF block counts as none: it is only a hint). kDamaged with the offset, or kUnsupported.
Result<ImageHeader> InspectImage(std::span<const uint8_t> file);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_IMAGE_CONTAINER_H_
