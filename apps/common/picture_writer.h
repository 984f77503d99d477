// Pictures out: PNG and JPEG. A file appears under its name only when it is complete; "-" is standard output. Messages
// start with the path. One thread at a time.
#ifndef INTSAM_APPS_COMMON_PICTURE_WRITER_H_
#define INTSAM_APPS_COMMON_PICTURE_WRITER_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "apps/common/picture_encoders.h"
#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

// kResource when a picture of that many bytes per pixel is beyond what can be written, 2^30 bytes of pixels.
Status CheckPictureSize(const std::string& path, ImageSize size, int bytes_per_pixel);

// Row by row (picture_encoders.h).
Status WritePng(const std::string& path, const PngLayout& layout, RowSource row);

// A mask of bytes, zero outside, as a gray PNG of 0 and 255.
Status WriteMaskPng(const std::string& path, const uint8_t* mask, ImageSize size);

// Gray, 16 bits.
Status WriteGray16Png(const std::string& path, const uint16_t* values, ImageSize size);

// RGB without gaps, as JPEG for names that end in .jpg or .jpeg, else as PNG. JPEG is encoded with floating point:
// unlike those of a PNG its pixels may differ between machines.
Status WritePicture(const std::string& path, const uint8_t* rgb, ImageSize size);

// The format of an output is what its name says; standard output has the first. kUsage naming `option` for a name with
// another ending; an empty one is an output that was not asked for.
Status CheckEnding(const char* option, const std::string& path, std::initializer_list<const char*> endings);

// Whether a name ends so, in upper or lower case, after something else.
bool HasEnding(const std::string& path, std::string_view ending);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PICTURE_WRITER_H_
