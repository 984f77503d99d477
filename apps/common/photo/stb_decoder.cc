// stb_image, confined: PNG and JPEG only, no stdio. Its memory comes from a budget derived from the checked header,
// zeroed, so that neither a decompression bomb nor a short read can do harm.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "apps/common/limits.h"
#include "apps/common/photo/containers.h"
#include "apps/common/photo/decoders.h"
#include "apps/common/photo/photo_limits.h"
#include "apps/common/photo/stb_jpeg_feed.h"

namespace intsam::internal {
namespace {

// What stb may still allocate, and whether it asked for more.
struct Budget {
  uint64_t left = 0;
  bool exceeded = false;
};
thread_local Budget budget;

struct alignas(std::max_align_t) BlockHeader {
  size_t size;
};

void BudgetFree(void* block) {
  if (block == nullptr) return;
  BlockHeader* header = static_cast<BlockHeader*>(block) - 1;
  budget.left += header->size;
  std::free(header);
}

void* BudgetAllocate(size_t size) {
  if (size > budget.left) {
    budget.exceeded = true;
    return nullptr;
  }
  auto* header = static_cast<BlockHeader*>(std::calloc(1, size + sizeof(BlockHeader)));
  if (header == nullptr) return nullptr;
  header->size = size;
  budget.left -= size;
  return header + 1;
}

void* BudgetReallocate(void* block, size_t size) {
  void* grown = BudgetAllocate(size);
  if (grown != nullptr && block != nullptr) {
    std::memcpy(grown, block, std::min(size, (static_cast<BlockHeader*>(block) - 1)->size));
    BudgetFree(block);
  }
  return grown;
}

}  // namespace
}  // namespace intsam::internal

#define STBI_MALLOC(size) intsam::internal::BudgetAllocate(size)
#define STBI_REALLOC(block, size) intsam::internal::BudgetReallocate(block, size)
#define STBI_FREE(block) intsam::internal::BudgetFree(block)
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 32768
#define STBI_FAILURE_USERMSG
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace intsam::internal {
namespace {

static_assert(STBI_MAX_DIMENSIONS == kImageFileSide);

struct DecodedFree {
  void operator()(void* pixels) const { stbi_image_free(pixels); }
};
template <class T>
using Decoded = std::unique_ptr<T[], DecodedFree>;

Status DecodeFailure() {
  if (budget.exceeded)
    return Error(Code::kDamaged, "cannot decode: the data need more memory than the image's size explains");
  const char* reason = stbi_failure_reason();
  const bool memory = reason != nullptr && std::strcmp(reason, "Out of memory") == 0;
  return Error(memory ? Code::kResource : Code::kDamaged, "cannot decode: %s",
               reason == nullptr ? "unknown reason" : reason);
}

// `stored`: bytes per pixel in the file.
Status CheckAndOpenBudget(const PixelLayout& layout, uint64_t stored, size_t file_bytes) {
  constexpr uint64_t kMostBytes = uint64_t{1} << 30;  // stb computes sizes in int
  INTSAM_TRY(CheckMemory(layout.size, layout.working_bytes));
  const auto [width, height] = layout.size;
  if (uint64_t{width} * height * std::max<uint64_t>(stored, 4) > kMostBytes) {
    return Error(Code::kResource, "image of %u x %u pixels: this build's decoder holds at most %llu bytes", width,
                 height, static_cast<unsigned long long>(kMostBytes));
  }
  // The largest demand is that of an interlaced PNG: inflated data twice while growing, the passes, the assembled image
  // and its conversion. JPEGs are padded to whole blocks of at most 32 pixels. The compressed data is copied as well.
  budget.left = uint64_t{width + 32} * (height + 32) * (4 * stored + 8) + 3 * uint64_t{file_bytes} + (1 << 20);
  budget.exceeded = false;
  return Status();
}

template <class T>
Status HandOver(Decoded<T> pixels, int width, int height, int channels, PixelLayout layout, PixelSink& sink) {
  if (pixels == nullptr) return DecodeFailure();
  if (ImageSize{static_cast<uint32_t>(width), static_cast<uint32_t>(height)} != layout.size)
    return Error(Code::kDamaged, "the decoded size differs from the header's");
  layout.channels = channels;
  INTSAM_TRY(sink.Begin(layout));
  for (size_t y = 0; y < layout.size.height; ++y) {
    const T* row = pixels.get() + y * layout.size.width * static_cast<size_t>(channels);
    if constexpr (sizeof(T) == 1) {
      sink.Row8(row);
    } else {
      sink.Row16(row);
    }
  }
  return Status();
}

}  // namespace

Status DecodePngByStb(std::span<const uint8_t> file, PixelSink& sink) {
  INTSAM_ASSIGN(const PngHeader header, InspectPng(file));
  PixelLayout layout;
  layout.size = header.size;
  layout.bits = header.bits == 16 ? 16 : 8;
  layout.orientation = header.orientation;
  INTSAM_TRY(CheckAndOpenBudget(layout, (static_cast<uint64_t>(header.channels) * header.bits + 7) / 8, file.size()));
  const int length = static_cast<int>(file.size());
  int width = 0, height = 0, channels = 0;
  if (layout.bits == 16) {
    Decoded<stbi_us> pixels(stbi_load_16_from_memory(file.data(), length, &width, &height, &channels, 0));
    return HandOver(std::move(pixels), width, height, channels, layout, sink);
  }
  Decoded<stbi_uc> pixels(stbi_load_from_memory(file.data(), length, &width, &height, &channels, 0));
  return HandOver(std::move(pixels), width, height, channels, layout, sink);
}

Status DecodeJpegByStb(std::span<const uint8_t> file, PixelSink& sink) {
  // stb 2.27 (Debian 12) writes past its tables for a Huffman table of too many symbols: it is given only what was
  // checked.
  std::vector<uint8_t> jpeg;
  INTSAM_ASSIGN(const JpegHeader header, InspectJpeg(file, &jpeg));
  if (header.arithmetic) return Error(Code::kUnsupported, "JPEG with arithmetic coding (this build cannot decode it)");
  PixelLayout layout;
  layout.size = header.size;
  layout.orientation = header.orientation;
  layout.lossy = true;
  INTSAM_TRY(CheckAndOpenBudget(layout, static_cast<uint64_t>(header.channels) + 6, file.size()));
  // Without Adobe's marker stb takes four components for YCbCr and alpha; libjpeg and everybody else for CMYK.
  if (header.channels == 4 && !header.adobe) {
    constexpr std::array<uint8_t, 16> kCmyk = {0xFF, 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0};
    jpeg.insert(jpeg.begin() + 2, kCmyk.begin(), kCmyk.end());
  }
  StbJpegFeed feed(jpeg);
  const stbi_io_callbacks callbacks = {
      [](void* user, char* to, int size) { return static_cast<StbJpegFeed*>(user)->Read(to, size); },
      [](void* user, int n) { static_cast<StbJpegFeed*>(user)->Skip(n); },
      [](void* user) { return static_cast<StbJpegFeed*>(user)->AtEnd() ? 1 : 0; }};
  int width = 0, height = 0, channels = 0;
  const int wanted = header.channels == 1 ? 1 : 3;
  Decoded<stbi_uc> pixels(stbi_load_from_callbacks(&callbacks, &feed, &width, &height, &channels, wanted));
  return HandOver(std::move(pixels), width, height, wanted, layout, sink);
}

}  // namespace intsam::internal
