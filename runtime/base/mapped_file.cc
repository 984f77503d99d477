#include "runtime/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <utility>

namespace intsam::internal {

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Result<MappedFile> MappedFile::Open(const std::string& path, uint64_t limit) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error(Code::kIo, "cannot open: %s", std::strerror(errno));
  MappedFile file;
  Status status;
  struct stat info = {};
  if (fstat(fd, &info) != 0) {
    status = Error(Code::kIo, "cannot stat: %s", std::strerror(errno));
  } else if (!S_ISREG(info.st_mode)) {
    status = Error(Code::kIo, "not a regular file");
  } else if (static_cast<uint64_t>(info.st_size) > limit || static_cast<uint64_t>(info.st_size) > SIZE_MAX) {
    status = Error(Code::kResource, "file of %" PRIu64 " bytes is over the limit of %" PRIu64,
                   static_cast<uint64_t>(info.st_size), limit);
  } else if (info.st_size > 0) {
    void* data = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
      status = Error(errno == ENOMEM ? Code::kResource : Code::kIo, "cannot map: %s", std::strerror(errno));
    } else {
      file.data_ = static_cast<const uint8_t*>(data);
      file.size_ = static_cast<size_t>(info.st_size);
    }
  }
  close(fd);
  if (!status.ok()) return status;
  return file;
}

}  // namespace intsam::internal
