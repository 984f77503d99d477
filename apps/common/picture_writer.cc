// PNG and JPEG through stb_image_write, first into memory.
#include "apps/common/picture_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "apps/common/output_files.h"

namespace intsam::internal {
namespace {

// stb does not check every allocation; an exception ends it instead (what it holds then is lost with the tool).
void* WriterReallocate(void* block, size_t size) {
  void* grown = std::realloc(block, size);
  if (grown == nullptr) throw std::bad_alloc();
  return grown;
}

}  // namespace
}  // namespace intsam::internal

#define STBIW_MALLOC(size) intsam::internal::WriterReallocate(nullptr, size)
#define STBIW_REALLOC(block, size) intsam::internal::WriterReallocate(block, size)
#define STBIW_FREE(block) std::free(block)
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace intsam::internal {
namespace {

constexpr uint64_t kMaxPixelBytes = uint64_t{1} << 30;  // stb computes sizes in int
constexpr int kJpegQuality = 90;

Status WriteBytes(const std::string& path, const uint8_t* data, size_t size) {
  INTSAM_ASSIGN(OutputFile file, OutputFile::Create(path));
  INTSAM_TRY(file.Write(data, size));
  return file.Commit();
}

struct Encoded {
  std::unique_ptr<uint8_t, decltype(&std::free)> data{nullptr, &std::free};
  size_t size = 0;
};

Result<Encoded> EncodePng(const std::string& path, const uint8_t* pixels, ImageSize size, int channels) {
  INTSAM_TRY(CheckPictureSize(path, size, channels));
  const int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  int bytes = 0;
  Encoded encoded;
  encoded.data.reset(stbi_write_png_to_mem(pixels, width * channels, width, height, channels, &bytes));
  if (encoded.data == nullptr) return Status(Code::kInternal, path + ": the PNG encoder failed");
  encoded.size = static_cast<size_t>(bytes);
  return encoded;
}

Status WriteJpeg(const std::string& path, const uint8_t* rgb, ImageSize size) {
  INTSAM_TRY(CheckPictureSize(path, size, 3));
  constexpr uint32_t kMaxSide = 65535;
  if (std::max(size.width, size.height) > kMaxSide)
    return Error(Code::kResource, "%s: a JPEG has at most %u pixels per side", path.c_str(), kMaxSide);
  std::vector<uint8_t> file;
  const auto append = [](void* context, void* data, int bytes) {
    const auto* begin = static_cast<const uint8_t*>(data);
    static_cast<std::vector<uint8_t>*>(context)->insert(static_cast<std::vector<uint8_t>*>(context)->end(), begin,
                                                        begin + bytes);
  };
  const int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  if (stbi_write_jpg_to_func(append, &file, width, height, 3, rgb, kJpegQuality) == 0) {
    return Status(Code::kInternal, path + ": the JPEG encoder failed");
  }
  return WriteBytes(path, file.data(), file.size());
}

}  // namespace

Status CheckPictureSize(const std::string& path, ImageSize size, int bytes_per_pixel) {
  const uint64_t bytes = uint64_t{size.width} * size.height * static_cast<uint64_t>(bytes_per_pixel);
  if (bytes != 0 && bytes <= kMaxPixelBytes) return Status();
  return Error(Code::kResource,
               "%s: cannot write a picture of %u x %u pixels, %d bytes each (the limit is %llu in all)", path.c_str(),
               size.width, size.height, bytes_per_pixel, static_cast<unsigned long long>(kMaxPixelBytes));
}

Status WritePng(const std::string& path, const uint8_t* pixels, ImageSize size, int channels) {
  INTSAM_ASSIGN(const Encoded png, EncodePng(path, pixels, size, channels));
  return WriteBytes(path, png.data.get(), png.size);
}

Status WriteMaskPng(const std::string& path, const uint8_t* mask, ImageSize size) {
  std::vector<uint8_t> gray(size_t{size.width} * size.height);
  std::transform(mask, mask + gray.size(), gray.begin(), [](uint8_t m) -> uint8_t { return m != 0 ? 255 : 0; });
  return WritePng(path, gray.data(), size, 1);
}

Status WriteGray16Png(const std::string& path, const uint16_t* values, ImageSize size) {
  std::vector<uint8_t> bytes(size_t{2} * size.width * size.height);
  for (size_t i = 0; i < bytes.size() / 2; ++i) {
    bytes[2 * i] = static_cast<uint8_t>(values[i] >> 8);
    bytes[2 * i + 1] = static_cast<uint8_t>(values[i]);
  }
  // stb knows 8 bits only. 16-bit gray is stored and filtered as 8-bit gray with alpha is, two bytes per pixel, so that
  // nothing but the description in IHDR differs: bit depth, colour type and the checksum over both.
  INTSAM_ASSIGN(const Encoded png, EncodePng(path, bytes.data(), size, 2));
  constexpr size_t kName = 12, kBitDepth = 24, kColourType = 25, kChecksum = 29;
  uint8_t* file = png.data.get();
  file[kBitDepth] = 16;
  file[kColourType] = 0;
  const uint32_t checksum = stbiw__crc32(file + kName, static_cast<int>(kChecksum - kName));
  for (int i = 0; i < 4; ++i) file[kChecksum + i] = static_cast<uint8_t>(checksum >> (24 - 8 * i));
  return WriteBytes(path, file, png.size);
}

Status WritePicture(const std::string& path, const uint8_t* rgb, ImageSize size) {
  const bool jpeg = HasEnding(path, ".jpg") || HasEnding(path, ".jpeg");
  return jpeg ? WriteJpeg(path, rgb, size) : WritePng(path, rgb, size, 3);
}

bool HasEnding(const std::string& path, std::string_view ending) {
  if (path.size() <= ending.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [&](char a, char b) { return a == lower(b); });
}

}  // namespace intsam::internal
