// PNG through stb_image_write, into a file that appears when it is complete.
#include "apps/common/png_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
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

struct PngSink {
  OutputFile* file;
  Status status;
};

void WriteToSink(void* context, void* data, int size) {
  auto* sink = static_cast<PngSink*>(context);
  if (sink->status.ok()) sink->status = sink->file->Write(data, static_cast<size_t>(size));
}

}  // namespace

Status WritePng(const std::string& path, const uint8_t* pixels, ImageSize size, int channels) {
  // stb computes sizes, which include a byte per row, in int.
  const uint64_t bytes = (uint64_t{size.width} * static_cast<uint64_t>(channels) + 1) * size.height;
  if (size.width == 0 || size.height == 0 || bytes > INT32_MAX) {
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
