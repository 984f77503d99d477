#include "apps/common/photo/photo_limits.h"

#include "apps/common/limits.h"

namespace intsam::internal {
namespace {

using Wide = unsigned long long;  // what printf knows

}  // namespace

Status CheckSides(ImageSize size) {
  if (size.width == 0 || size.height == 0)
    return Error(Code::kDamaged, "the image has no pixels (%u x %u)", size.width, size.height);
  if (size.width <= kImageFileSide && size.height <= kImageFileSide) return Status();
  return Error(Code::kResource, "image of %u x %u pixels: the limit is %u per side", size.width, size.height,
               kImageFileSide);
}

Status CheckMemory(ImageSize size, uint64_t working_bytes) {
  const uint64_t rgb = uint64_t{3} * size.width * size.height;
  if (working_bytes <= kDecodedImageBytes && rgb + working_bytes <= kDecodedImageBytes) return Status();
  return Error(Code::kResource, "image of %u x %u pixels: decoding it takes %llu bytes, the limit is %llu", size.width,
               size.height, static_cast<Wide>(rgb + working_bytes), static_cast<Wide>(kDecodedImageBytes));
}

Status CheckScans(ImageSize size, int scans) {
  const uint64_t work = uint64_t{size.width} * size.height * static_cast<uint64_t>(scans);
  if (work <= kJpegScanPixels) return Status();
  return Error(Code::kResource, "JPEG of %u x %u pixels in %d scans: %llu pixels to go over, the limit is %llu",
               size.width, size.height, scans, static_cast<Wide>(work), static_cast<Wide>(kJpegScanPixels));
}

}  // namespace intsam::internal
