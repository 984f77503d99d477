// Whole files into memory, with a limit. Memory grows with the bytes that arrive, never with what a size field says.
#include "apps/common/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace intsam::internal {

namespace {

Status Failure(const std::string& path, const char* action, int error) {
  return Status(Code::kIo, path + ": " + action + ": " + std::strerror(error));
}

Status TooLarge(const std::string& path, size_t limit) {
  return Status(Code::kResource, path + ": larger than the limit of " + std::to_string(limit) + " bytes");
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ > STDIN_FILENO) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

// `expected`: how many bytes are expected, to begin with, at most `limit`; 0 where nobody knows.
Result<std::vector<uint8_t>> ReadToEnd(int descriptor, const std::string& path, size_t expected, size_t limit) {
  std::vector<uint8_t> bytes(expected + 1);
  size_t size = 0;
  while (true) {
    if (size == bytes.size()) bytes.resize(std::min(std::max<size_t>(2 * size, 1 << 16), limit + 1));
    const ssize_t n = read(descriptor, bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failure(path, "cannot read", errno);
    if (n == 0) break;
    size += static_cast<size_t>(n);
    if (size > limit) return TooLarge(path, limit);
  }
  bytes.resize(size);
  return bytes;
}

Result<std::vector<uint8_t>> ReadOpened(const Descriptor& file, const std::string& path, bool regular, size_t limit) {
  struct stat info;
  if (fstat(file.value(), &info) != 0) return Failure(path, "cannot read", errno);
  if (S_ISDIR(info.st_mode)) return Failure(path, "cannot read", EISDIR);
  if (regular && !S_ISREG(info.st_mode)) return Status(Code::kIo, path + ": not a regular file");
  if (!S_ISREG(info.st_mode) || info.st_size <= 0) return ReadToEnd(file.value(), path, 0, limit);
  if (static_cast<uint64_t>(info.st_size) > limit) return TooLarge(path, limit);
  return ReadToEnd(file.value(), path, static_cast<size_t>(info.st_size), limit);
}

}  // namespace

Result<std::vector<uint8_t>> ReadFileBytes(const std::string& path, size_t limit) {
  const bool standard_input = path == "-";
  const Descriptor file(standard_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0) return Failure(path, "cannot open", errno);
  return ReadOpened(file, standard_input ? "standard input" : path, false, limit);
}

Result<std::vector<uint8_t>> ReadRegularFile(const std::string& path, size_t limit) {
  if (path.find('\0') != std::string::npos) return Status(Code::kUsage, path + ": a file name cannot hold a zero byte");
  // Without O_NONBLOCK opening a pipe would wait for its writer before anybody could look at what it is.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.value() < 0) return Failure(path, "cannot open", errno);
  return ReadOpened(file, path, true, limit);
}

}  // namespace intsam::internal
