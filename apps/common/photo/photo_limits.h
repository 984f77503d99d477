// Whether a picture may be decoded, by what its container says (apps/common/limits.h holds the numbers). To be asked
// before anything of the picture's size is reserved. kResource with the numbers; kDamaged for a picture without pixels.
#ifndef INTSAM_APPS_COMMON_PHOTO_PHOTO_LIMITS_H_
#define INTSAM_APPS_COMMON_PHOTO_PHOTO_LIMITS_H_

#include <cstdint>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

Status CheckSides(ImageSize size);
// RGB, and `working_bytes` that the decoder holds besides. The sides must have been checked.
Status CheckMemory(ImageSize size, uint64_t working_bytes);
// `scans`: how often a JPEG's decoder goes over the whole picture; ten bytes of the file make it go once more.
Status CheckScans(ImageSize size, int scans);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_PHOTO_LIMITS_H_
