// PNG files out. Messages start with the path.
#ifndef INTSAM_APPS_COMMON_PNG_WRITER_H_
#define INTSAM_APPS_COMMON_PNG_WRITER_H_

#include <cstdint>
#include <string>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

// channels 1 (gray), 3 (RGB) or 4 (RGBA), 8 bits, rows without gaps. Appears under `path` only when complete;
// "-" is standard output.
Status WritePng(const std::string& path, const uint8_t* pixels, ImageSize size, int channels);
// A mask of bytes 0 and 1 as a gray PNG of 0 and 255.
Status WriteMaskPng(const std::string& path, const uint8_t* mask, ImageSize size);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PNG_WRITER_H_
