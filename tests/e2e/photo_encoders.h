// Pictures that need an encoder: made by the libraries that the build reads them with. Without the library, or where it
// cannot encode, the result is empty, and tests skip themselves.
#ifndef INTSAM_TESTS_E2E_PHOTO_ENCODERS_H_
#define INTSAM_TESTS_E2E_PHOTO_ENCODERS_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/photo_files.h"

namespace intsam::internal {

struct JpegStyle {
  int channels = 3;  // 1 gray, 3 RGB in, 4 CMYK as it is stored
  bool progressive = false;
  bool adobe_marker = true;  // of four channels
  bool ycck = false;         // four channels, three of them as YCbCr
  bool subsampled = true;    // 4:2:0
  bool arithmetic = false;
  int restart_interval = 0;  // in blocks
};
Bytes EncodeJpeg(const Bytes& samples, ImageSize size, const JpegStyle& style);

// channels 3 or 4. Lossless, colours under full transparency kept.
Bytes EncodeWebp(const Bytes& samples, ImageSize size, int channels);
// A WebP file of chunks, for what the encoder does not write itself: "VP8X", "EXIF", "ANIM", ...
Bytes MakeWebp(const std::vector<std::pair<std::string, Bytes>>& chunks);
// The only chunk of a file from EncodeWebp, with its header.
Bytes WebpChunk(const Bytes& file);

// RGB of 8 bits as HEIC (HEVC) or AVIF (AV1), at the best quality.
Bytes EncodeHeif(const Bytes& rgb, ImageSize size, bool avif);

}  // namespace intsam::internal

#endif  // INTSAM_TESTS_E2E_PHOTO_ENCODERS_H_
