// The encoders behind picture_writer.h: PNG through libpng, or stb_image_write where the build has not found it, as
// when cross compiling. Files of the two differ, the pixels in them do not.
#ifndef INTSAM_APPS_COMMON_PICTURE_ENCODERS_H_
#define INTSAM_APPS_COMMON_PICTURE_ENCODERS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/base/function_ref.h"
#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

struct PngLayout {
  ImageSize size;
  int channels = 1;  // 1 gray, 3 RGB, 4 RGBA
  int bits = 8;      // per channel; 16 only for gray

  size_t row_bytes() const { return size_t{size.width} * static_cast<size_t>(channels * bits / 8); }
};

// The samples of row y, those of 16 bits with the high byte first; asked for once each, from top to bottom. What is
// returned must live until the next call.
using RowSource = FunctionRef<const uint8_t*(uint32_t y)>;
// Takes the file as it grows.
using ByteSink = FunctionRef<Status(const void* data, size_t size)>;

// The first error of the sink; kResource without memory; kInternal where the encoder fails otherwise. The picture must
// have passed CheckPictureSize (picture_writer.h).
using EncodePngFunction = Status(const PngLayout& layout, RowSource row, ByteSink write);

// Through libpng: a row is in memory at a time.
EncodePngFunction EncodePngByLibpng;
// Through stb: picture and file are in memory. It has no 16 bits; see there.
EncodePngFunction EncodePngByStb;

// RGB of 8 bits without gaps, sides up to 65535.
Status EncodeJpegByStb(ImageSize size, const uint8_t* rgb, ByteSink write);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PICTURE_ENCODERS_H_
