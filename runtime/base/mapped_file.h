// A file mapped read-only: pages are shared between processes and read on demand.
#ifndef INTSAM_RUNTIME_BASE_MAPPED_FILE_H_
#define INTSAM_RUNTIME_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/status.h"

namespace intsam::internal {

class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  // kIo with errno's text; kResource above `limit` bytes. An empty file maps to an empty span.
  static Result<MappedFile> Open(const std::string& path, uint64_t limit);

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_MAPPED_FILE_H_
