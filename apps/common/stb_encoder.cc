// stb_image_write, into memory.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "apps/common/picture_encoders.h"

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

constexpr int kJpegQuality = 90;

}  // namespace

Status EncodePngByStb(const PngLayout& layout, RowSource row, ByteSink write) {
  std::vector<uint8_t> pixels;
  pixels.reserve(layout.row_bytes() * layout.size.height);
  for (uint32_t y = 0; y < layout.size.height; ++y) {
    const uint8_t* samples = row(y);
    pixels.insert(pixels.end(), samples, samples + layout.row_bytes());
  }
  const int width = static_cast<int>(layout.size.width), height = static_cast<int>(layout.size.height);
  const int pixel_bytes = layout.channels * layout.bits / 8;
  int size = 0;
  const std::unique_ptr<uint8_t, decltype(&std::free)> png(
      stbi_write_png_to_mem(pixels.data(), width * pixel_bytes, width, height, pixel_bytes, &size), &std::free);
  if (png == nullptr) return Error(Code::kInternal, "cannot encode: the PNG encoder failed");
  if (layout.bits == 16) {
    // stb knows 8 bits only. 16-bit gray is stored and filtered as 8-bit gray with alpha is, two bytes per pixel, so
    // that nothing but the description in IHDR differs: bit depth, colour type and the checksum over both.
    constexpr size_t kName = 12, kBitDepth = 24, kColourType = 25, kChecksum = 29;
    uint8_t* file = png.get();
    file[kBitDepth] = 16;
    file[kColourType] = 0;
    const uint32_t checksum = stbiw__crc32(file + kName, static_cast<int>(kChecksum - kName));
    for (int i = 0; i < 4; ++i) file[kChecksum + i] = static_cast<uint8_t>(checksum >> (24 - 8 * i));
  }
  return write(png.get(), static_cast<size_t>(size));
}

Status EncodeJpegByStb(ImageSize size, const uint8_t* rgb, ByteSink write) {
  std::vector<uint8_t> file;
  const auto append = [](void* context, void* data, int bytes) {
    auto& out = *static_cast<std::vector<uint8_t>*>(context);
    const auto* begin = static_cast<const uint8_t*>(data);
    out.insert(out.end(), begin, begin + bytes);
  };
  const int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  if (stbi_write_jpg_to_func(append, &file, width, height, 3, rgb, kJpegQuality) == 0) {
    return Error(Code::kInternal, "cannot encode: the JPEG encoder failed");
  }
  return write(file.data(), file.size());
}

}  // namespace intsam::internal
