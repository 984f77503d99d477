// From files to pixels: bytes, format, decoder, sink.
#include "apps/common/photo/photo_reader.h"

#include "apps/common/file_bytes.h"
#include "apps/common/limits.h"
#include "apps/common/photo/containers.h"
#include "apps/common/photo/photo_format.h"
#include "apps/common/photo/pixel_sink.h"

namespace intsam::internal {
namespace {

Result<LabelMap> DecodeLabels(std::span<const uint8_t> file) {
  INTSAM_ASSIGN(const PhotoFormat* format, RecognisePhoto(file));
  bool gray = false;
  if (IsPng(file)) {
    INTSAM_ASSIGN(const PngHeader header, InspectPng(file));
    gray = header.channels == 1 && !header.palette && header.bits >= 8;
  }
  if (!gray) return Error(Code::kUnsupported, "a region map must be a gray PNG of 8 or 16 bits");
  LabelSink sink;
  INTSAM_TRY(format->decode(file, sink));
  return sink.Take();
}

template <class Picture>
Result<Picture> WithPath(const std::string& path, Result<Picture> picture) {
  if (!picture.ok()) return picture.status().WithPrefix(path);
  if constexpr (requires { picture->notes; }) {
    for (std::string& note : picture->notes) note.insert(0, path + ": ");
  }
  return picture;
}

}  // namespace

Result<Image> DecodeImage(std::span<const uint8_t> file, const ReadOptions& options) {
  INTSAM_ASSIGN(const PhotoFormat* format, RecognisePhoto(file));
  RangeSink range;
  if (options.stretch) INTSAM_TRY(format->decode(file, range));
  RgbSink sink(options.stretch ? &range.range() : nullptr);
  INTSAM_TRY(format->decode(file, sink));
  return sink.Take();
}

Result<Mask> DecodeMask(std::span<const uint8_t> file) {
  INTSAM_ASSIGN(const PhotoFormat* format, RecognisePhoto(file));
  MaskSink sink;
  INTSAM_TRY(format->decode(file, sink));
  return sink.Take();
}

Result<Image> ReadImage(const std::string& path, const ReadOptions& options) {
  const auto read = options.regular_file ? ReadRegularFile : ReadFileBytes;
  INTSAM_ASSIGN(const std::vector<uint8_t> file, read(path, kImageFileBytes));
  const bool standard_input = path == "-" && !options.regular_file;
  return WithPath(standard_input ? "standard input" : path, DecodeImage(file, options));
}

Result<LabelMap> ReadLabels(const std::string& path) {
  INTSAM_ASSIGN(const std::vector<uint8_t> file, ReadRegularFile(path, kImageFileBytes));
  return WithPath(path, DecodeLabels(file));
}

std::string PhotoFormats() {
  std::string list;
  for (const PhotoFormat& format : BuiltPhotoFormats()) list += (list.empty() ? "" : ", ") + std::string(format.name);
  return list;
}

std::string PhotoDecoders() {
  std::string list;
  for (const PhotoFormat& format : BuiltPhotoFormats())
    list += (list.empty() ? "" : ", ") + std::string(format.name) + " (" + format.library() + ")";
  return list;
}

}  // namespace intsam::internal
