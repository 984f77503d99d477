// JPEG and PNG through stb_image, the only place where third-party decoder code meets files. Its memory comes from a
// budget derived from the checked header, zeroed, so that neither a decompression bomb nor a short read can do harm.
#include "apps/common/image_file.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "apps/common/file_bytes.h"
#include "apps/common/image_container.h"
#include "apps/common/limits.h"
#include "apps/common/output_files.h"

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

// The writer does not check every allocation; an exception ends it instead (what it holds then is lost with the tool).
void* WriterReallocate(void* block, size_t size) {
  void* grown = std::realloc(block, size);
  if (grown == nullptr) throw std::bad_alloc();
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
#define STBIW_MALLOC(size) intsam::internal::WriterReallocate(nullptr, size)
#define STBIW_REALLOC(block, size) intsam::internal::WriterReallocate(block, size)
#define STBIW_FREE(block) std::free(block)
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace intsam::internal {
namespace {

static_assert(STBI_MAX_DIMENSIONS == kImageFileSide);

struct DecodedFree {
  void operator()(void* pixels) const { stbi_image_free(pixels); }
};
template <class T>
using Decoded = std::unique_ptr<T[], DecodedFree>;

// Checks the header against the limits and opens the decoder's budget.
Status Prepare(const ImageHeader& header, size_t file_bytes) {
  const auto [width, height] = header.size;
  if (width == 0 || height == 0) return Error(Code::kDamaged, "the image has no pixels (%u x %u)", width, height);
  if (width > kImageFileSide || height > kImageFileSide) {
    return Error(Code::kResource, "image of %u x %u pixels: the limit is %u per side", width, height, kImageFileSide);
  }
  const uint64_t stored = (static_cast<uint64_t>(header.channels) * header.bits + 7) / 8;  // bytes per pixel
  if (uint64_t{width} * height * std::max<uint64_t>(stored, 3) > kDecodedImageBytes) {
    return Error(Code::kResource, "image of %u x %u pixels: the limit is %llu decoded bytes", width, height,
                 static_cast<unsigned long long>(kDecodedImageBytes));
  }
  // The largest demand is that of an interlaced PNG: inflated data twice while growing, the passes, the assembled image
  // and its conversion. JPEGs are padded to whole blocks of at most 32 pixels. The compressed data is copied as well.
  budget.left = uint64_t{width + 32} * (height + 32) * (4 * stored + 8) + 3 * uint64_t{file_bytes} + (1 << 20);
  budget.exceeded = false;
  return Status();
}

Status DecodeFailure() {
  if (budget.exceeded)
    return Error(Code::kDamaged, "cannot decode: the data need more memory than the image's size explains");
  const char* reason = stbi_failure_reason();
  const bool memory = reason != nullptr && std::strcmp(reason, "Out of memory") == 0;
  return Error(memory ? Code::kResource : Code::kDamaged, "cannot decode: %s",
               reason == nullptr ? "unknown reason" : reason);
}

// Orientation o maps the stored pixel (x, y) to the place where it is meant to be seen.
void ApplyOrientation(int orientation, Image& image) {
  if (orientation == 1) return;
  const ImageSize from = image.size;
  const bool transposed = orientation >= 5;
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const ImageSize to = transposed ? ImageSize{from.height, from.width} : from;
  std::vector<uint8_t> turned(image.rgb.size());
  for (uint32_t y = 0; y < from.height; ++y) {
    const uint32_t row = mirror_y ? from.height - 1 - y : y;
    for (uint32_t x = 0; x < from.width; ++x) {
      const uint32_t column = mirror_x ? from.width - 1 - x : x;
      const size_t target = transposed ? size_t{column} * to.width + row : size_t{row} * to.width + column;
      std::memcpy(&turned[3 * target], &image.rgb[3 * (size_t{y} * from.width + x)], 3);
    }
  }
  image.size = to;
  image.rgb = std::move(turned);
}

Result<LabelMap> DecodeLabels(std::span<const uint8_t> file) {
  INTSAM_ASSIGN(const ImageHeader header, InspectImage(file));
  if (!header.png || header.palette || header.channels != 1 || (header.bits != 8 && header.bits != 16)) {
    return Error(Code::kUnsupported, "a region map must be a gray PNG of 8 or 16 bits");
  }
  INTSAM_TRY(Prepare(header, file.size()));
  const int length = static_cast<int>(file.size());
  int width = 0, height = 0, channels = 0;
  LabelMap map;
  const auto take = [&](auto pixels) {
    if (pixels == nullptr) return DecodeFailure();
    map.size = {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
    map.labels.assign(pixels.get(), pixels.get() + size_t{map.size.width} * map.size.height);
    return Status();
  };
  if (header.bits == 8) {
    INTSAM_TRY(take(Decoded<stbi_uc>(stbi_load_from_memory(file.data(), length, &width, &height, &channels, 1))));
  } else {
    INTSAM_TRY(take(Decoded<stbi_us>(stbi_load_16_from_memory(file.data(), length, &width, &height, &channels, 1))));
  }
  if (map.size != header.size) return Error(Code::kDamaged, "the decoded size differs from the header's");
  return map;
}

struct PngSink {
  OutputFile* file;
  Status status;
};

void WriteToSink(void* context, void* data, int size) {
  auto* sink = static_cast<PngSink*>(context);
  if (sink->status.ok()) sink->status = sink->file->Write(data, static_cast<size_t>(size));
}

}  // namespace

Result<Image> DecodeImage(std::span<const uint8_t> file) {
  INTSAM_ASSIGN(const ImageHeader header, InspectImage(file));
  INTSAM_TRY(Prepare(header, file.size()));
  int width = 0, height = 0, channels = 0;
  const Decoded<stbi_uc> pixels(
      stbi_load_from_memory(file.data(), static_cast<int>(file.size()), &width, &height, &channels, 3));
  if (pixels == nullptr) return DecodeFailure();
  Image image;
  image.size = {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
  if (image.size != header.size) return Error(Code::kDamaged, "the decoded size differs from the header's");
  image.rgb.assign(pixels.get(), pixels.get() + size_t{3} * image.size.width * image.size.height);
  ApplyOrientation(header.orientation, image);
  return image;
}

Result<Image> ReadImage(const std::string& path) {
  INTSAM_ASSIGN(const std::vector<uint8_t> file, ReadFileBytes(path, kImageFileBytes));
  Result<Image> image = DecodeImage(file);
  if (!image.ok()) return image.status().WithPrefix(path);
  return image;
}

Result<LabelMap> ReadLabels(const std::string& path) {
  INTSAM_ASSIGN(const std::vector<uint8_t> file, ReadFileBytes(path, kImageFileBytes));
  Result<LabelMap> map = DecodeLabels(file);
  if (!map.ok()) return map.status().WithPrefix(path);
  return map;
}

Status WritePng(const std::string& path, const uint8_t* pixels, ImageSize size, int channels) {
  const uint64_t bytes = uint64_t{size.width} * size.height * static_cast<uint64_t>(channels);
  if (bytes == 0 || bytes > 4 * kDecodedImageBytes) {
    return Error(Code::kResource, "%s: cannot write an image of %u x %u pixels", path.c_str(), size.width, size.height);
  }
  INTSAM_ASSIGN(OutputFile file, OutputFile::Create(path));
  PngSink sink{&file, Status()};
  const int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  if (stbi_write_png_to_func(WriteToSink, &sink, width, height, channels, pixels, width * channels) == 0) {
    return Status(Code::kInternal, path + ": the PNG encoder failed");
  }
  INTSAM_TRY(sink.status);
  return file.Commit();
}

Status WriteMaskPng(const std::string& path, const uint8_t* mask, ImageSize size) {
  std::vector<uint8_t> gray(size_t{size.width} * size.height);
  std::transform(mask, mask + gray.size(), gray.begin(), [](uint8_t m) -> uint8_t { return m != 0 ? 255 : 0; });
  return WritePng(path, gray.data(), size, 1);
}

}  // namespace intsam::internal
