// Pictures made by code for the tests of photos. What needs an encoder that the build may lack is in photo_encoders.h.
#ifndef INTSAM_TESTS_E2E_PHOTO_FILES_H_
#define INTSAM_TESTS_E2E_PHOTO_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/image/resize.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {

using Bytes = std::vector<uint8_t>;

// RGB, every value a different mixture of x and y.
Bytes Gradient(uint32_t width, uint32_t height);

// A baseline JPEG of quality 95.
Bytes MakeJpeg(const Bytes& rgb, uint32_t width, uint32_t height);

// A TIFF directory (EXIF's payload as well) with one entry, the orientation, behind `decoys` other entries.
Bytes ExifWithOrientation(int value, bool little, int decoys);
// A JPEG with that in an APP1 segment behind the start of image.
Bytes WithOrientation(Bytes jpeg, int value, bool little, int decoys);
// A PNG with chunks inserted in front of its first IDAT.
Bytes WithChunk(const Bytes& png, const std::string& type, const Bytes& data);

struct TiffTag {
  uint16_t tag;
  uint16_t type;  // 1 byte, 2 ASCII, 3 short, 4 long
  std::vector<uint32_t> values;
};

struct TiffPicture {
  ImageSize size;
  int bits = 8, samples = 3, photometric = 2;
  bool little = true;
  uint32_t rows_per_strip = 1 << 30;
  std::vector<Bytes> strips;  // as stored, words of 16 bits in the file's order
  std::vector<TiffTag> more;  // also replaces what the above would write
};
Bytes MakeTiff(const TiffPicture& picture);

// The offset of `marker` (0xFFxx), or the size where it is missing.
size_t FindMarker(const Bytes& jpeg, uint16_t marker);

}  // namespace intsam::internal

#endif  // INTSAM_TESTS_E2E_PHOTO_FILES_H_
