// The decoders of photos, one per format and library; the build decides which there are (CMakeLists.txt). Each checks
// its container, announces the picture to the sink, and hands over the rows from top to bottom. Errors as in
// photo_reader.h, without a path. What a sink has received from a decoder that failed is worth nothing.
#ifndef INTSAM_APPS_COMMON_PHOTO_DECODERS_H_
#define INTSAM_APPS_COMMON_PHOTO_DECODERS_H_

#include <cstdint>
#include <span>
#include <string>

#include "apps/common/photo/pixel_sink.h"

namespace intsam::internal {

using DecodeFunction = Status(std::span<const uint8_t> file, PixelSink& sink);
using LibraryFunction = std::string();  // its name and version; empty where it was built without this format's decoder

DecodeFunction DecodePng, DecodeJpeg, DecodeWebp, DecodeTiff, DecodeHeif;
LibraryFunction PngLibrary, JpegLibrary, WebpLibrary, TiffLibrary, HeicLibrary, AvifLibrary;

// stb_image: serves PNG and JPEG where the build has not found libpng or libjpeg, as when cross compiling. PNGs come
// out the same; pixels of JPEGs differ by small levels. Pictures up to 2^30 bytes, in twice the memory.
DecodeFunction DecodePngByStb, DecodeJpegByStb;

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTO_DECODERS_H_
