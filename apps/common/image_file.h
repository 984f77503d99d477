// Image files of the tools: JPEG and PNG in, PNG out. The decoder is stb_image, confined: only the two formats, no
// stdio, capped memory, and the container checked before (image_container.h). Encoded files are at most 256 MiB, sides
// at most 32768, decoded images at most 2^28 bytes. Messages start with the path.
#ifndef INTSAM_APPS_COMMON_IMAGE_FILE_H_
#define INTSAM_APPS_COMMON_IMAGE_FILE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

struct Image {
  ImageSize size;
  std::vector<uint8_t> rgb;  // [height][width][3]
};

// A map of regions: every pixel carries the number of the region it belongs to.
struct LabelMap {
  ImageSize size;
  std::vector<uint16_t> labels;  // [height][width]
};

// Gray and palette become RGB, alpha is dropped, 16 bits become 8, and a JPEG's EXIF orientation (tag 0x0112) is
// applied.
Result<Image> ReadImage(const std::string& path);
Result<Image> DecodeImage(std::span<const uint8_t> file);  // the same from memory; messages without a path

// 8 or 16-bit gray PNG, values as stored.
Result<LabelMap> ReadLabels(const std::string& path);

// channels 1 (gray), 3 (RGB) or 4 (RGBA), 8 bits, rows without gaps. Appears under `path` only when complete.
Status WritePng(const std::string& path, const uint8_t* pixels, ImageSize size, int channels);
// A mask of bytes 0 and 1 as a gray PNG of 0 and 255.
Status WriteMaskPng(const std::string& path, const uint8_t* mask, ImageSize size);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_IMAGE_FILE_H_
