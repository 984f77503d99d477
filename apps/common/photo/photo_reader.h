// Photos, masks and region maps from files. The format is found by the content, not by the name: PNG and JPEG always,
// WebP, TIFF, HEIC and AVIF where the build found their libraries. Containers are walked and sizes checked before a
// decoder sees the data, pixels go row by row into the result (docs/photos.md: limits, memory, what is applied).
//
// Errors: kIo, kDamaged (also truncated), kUnsupported (named: "a GIF picture; ..."), kResource (limits.h).
// Messages and notes of the Read functions start with the path, those of the Decode functions do not have it.
// All functions may run on several threads at once.
#ifndef INTSAM_APPS_COMMON_PHOTO_PHOTO_READER_H_
#define INTSAM_APPS_COMMON_PHOTO_PHOTO_READER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

struct Image {
  ImageSize size;
  std::vector<uint8_t> rgb;        // [height][width][3]
  std::vector<std::string> notes;  // what the user should know about this picture, one sentence each
};

struct Mask {
  ImageSize size;
  std::vector<uint8_t> inside;  // [height][width], 0 or 1
  std::vector<std::string> notes;
};

// A map of regions: every pixel carries the number of the region it belongs to.
struct LabelMap {
  ImageSize size;
  std::vector<uint16_t> labels;  // [height][width]
};

struct ReadOptions {
  // Spreads the values of the picture, from its darkest to its brightest over all channels, over 0 to 255. For data of
  // 10, 12 or 14 bits in 16-bit files, which are nearly black otherwise. The picture is decoded twice.
  bool stretch = false;
  // The path comes from a folder or from somebody else's file: what is no regular file is refused (kIo), not waited
  // for.
  bool regular_file = false;
};

// As people see the picture: gray and palette become RGB, alpha is dropped, of 16 bits the upper 8 are taken, and the
// orientation that the file carries is applied. Colour profiles are not.
// Unless told otherwise, `path` may be a pipe or a device, and "-" is standard input.
Result<Image> ReadImage(const std::string& path, const ReadOptions& options = {});
Result<Image> DecodeImage(std::span<const uint8_t> file, const ReadOptions& options = {});

// Any picture as a mask: inside is what has a colour other than black (any channel above 0, after the palette) and is
// not fully transparent. Oriented as ReadImage does.
Result<Mask> DecodeMask(std::span<const uint8_t> file);

// 8 or 16-bit gray PNG, values as stored, oriented as ReadImage does. Regular files only.
Result<LabelMap> ReadLabels(const std::string& path);

// The formats this build reads, for help texts and messages: "PNG, JPEG, WebP".
std::string PhotoFormats();
// The same with the libraries behind them, for --version: "PNG (libpng 1.6.39), JPEG (libjpeg-turbo 2.1.5)".
std::string PhotoDecoders();

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_PHOTO_READER_H_
