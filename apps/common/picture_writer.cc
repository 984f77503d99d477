// Rows of pixels to an encoder, its bytes to a file.
#include "apps/common/picture_writer.h"

#include <algorithm>
#include <vector>

#include "apps/common/output_files.h"

namespace intsam::internal {
namespace {

#ifdef INTSAM_HAVE_LIBPNG
constexpr EncodePngFunction* kEncodePng = EncodePngByLibpng;
#else
constexpr EncodePngFunction* kEncodePng = EncodePngByStb;
#endif

constexpr uint64_t kMaxPixelBytes = uint64_t{1} << 30;  // stb computes sizes in int

// `encode`: Status(ByteSink write).
template <class Encode>
Status WriteFile(const std::string& path, Encode encode) {
  INTSAM_ASSIGN(OutputFile file, OutputFile::Create(path));
  Status written;  // has the path already, unlike what the encoder says
  const Status encoded = encode([&](const void* data, size_t size) { return written = file.Write(data, size); });
  INTSAM_TRY(written);
  INTSAM_TRY(encoded.WithPrefix(path));
  return file.Commit();
}

Status WriteJpeg(const std::string& path, const uint8_t* rgb, ImageSize size) {
  INTSAM_TRY(CheckPictureSize(path, size, 3));
  constexpr uint32_t kMaxSide = 65535;
  if (std::max(size.width, size.height) > kMaxSide)
    return Error(Code::kResource, "%s: a JPEG has at most %u pixels per side", path.c_str(), kMaxSide);
  return WriteFile(path, [&](ByteSink write) { return EncodeJpegByStb(size, rgb, write); });
}

}  // namespace

Status CheckPictureSize(const std::string& path, ImageSize size, int bytes_per_pixel) {
  const uint64_t bytes = uint64_t{size.width} * size.height * static_cast<uint64_t>(bytes_per_pixel);
  if (bytes != 0 && bytes <= kMaxPixelBytes) return Status();
  return Error(Code::kResource,
               "%s: cannot write a picture of %u x %u pixels, %d bytes each (the limit is %llu in all)", path.c_str(),
               size.width, size.height, bytes_per_pixel, static_cast<unsigned long long>(kMaxPixelBytes));
}

Status WritePng(const std::string& path, const PngLayout& layout, RowSource row) {
  INTSAM_TRY(CheckPictureSize(path, layout.size, layout.channels * layout.bits / 8));
  return WriteFile(path, [&](ByteSink write) { return kEncodePng(layout, row, write); });
}

Status WriteMaskPng(const std::string& path, const uint8_t* mask, ImageSize size) {
  std::vector<uint8_t> gray(size.width);
  return WritePng(path, {size, 1}, [&](uint32_t y) {
    const uint8_t* inside = mask + size_t{y} * size.width;
    std::transform(inside, inside + size.width, gray.begin(), [](uint8_t m) -> uint8_t { return m != 0 ? 255 : 0; });
    return gray.data();
  });
}

Status WriteGray16Png(const std::string& path, const uint16_t* values, ImageSize size) {
  std::vector<uint8_t> bytes(size_t{2} * size.width);
  return WritePng(path, {size, 1, 16}, [&](uint32_t y) {
    const uint16_t* from = values + size_t{y} * size.width;
    for (uint32_t x = 0; x < size.width; ++x) {
      bytes[size_t{2} * x] = static_cast<uint8_t>(from[x] >> 8);
      bytes[size_t{2} * x + 1] = static_cast<uint8_t>(from[x]);
    }
    return bytes.data();
  });
}

Status WritePicture(const std::string& path, const uint8_t* rgb, ImageSize size) {
  if (HasEnding(path, ".jpg") || HasEnding(path, ".jpeg")) return WriteJpeg(path, rgb, size);
  return WritePng(path, {size, 3}, [&](uint32_t y) { return rgb + size_t{3} * size.width * y; });
}

Status CheckEnding(const char* option, const std::string& path, std::initializer_list<const char*> endings) {
  std::string possible;
  for (const char* ending : endings) {
    if (path.empty() || IsStream(path) || HasEnding(path, ending)) return Status();
    possible += (possible.empty() ? "" : " or ") + std::string(ending);
  }
  return Status(Code::kUsage, std::string(option) + ": '" + path + "' does not end in " + possible +
                                  (endings.size() == 1 ? ", the format that is" : ", the formats that are") +
                                  " written here");
}

bool HasEnding(const std::string& path, std::string_view ending) {
  if (path.size() <= ending.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [&](char a, char b) { return a == lower(b); });
}

}  // namespace intsam::internal
