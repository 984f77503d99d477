// Memory grows with the bytes that arrive, never with what a size field says. Not by streams of the standard library:
// they take a lack of memory for the end of the file.
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

// read() that no signal ends: at most `size` bytes, none at the end.
Result<size_t> ReadSome(int descriptor, const std::string& path, uint8_t* to, size_t size) {
  while (true) {
    const ssize_t n = read(descriptor, to, size);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) return Failure(path, "cannot read", errno);
  }
}

// `expected`: how many bytes are expected, to begin with, at most `limit`; 0 where nobody knows.
Result<std::vector<uint8_t>> ReadToEnd(int descriptor, const std::string& path, size_t expected, size_t limit) {
  std::vector<uint8_t> bytes(expected + 1);
  size_t size = 0;
  while (true) {
    if (size == bytes.size()) bytes.resize(std::min(std::max<size_t>(2 * size, 1 << 16), limit + 1));
    INTSAM_ASSIGN(const size_t n, ReadSome(descriptor, path, bytes.data() + size, bytes.size() - size));
    if (n == 0) break;
    size += n;
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

Status ReadPieces(const std::string& path, FunctionRef<Status(std::span<const uint8_t>)> take) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0) return Failure(path, "cannot open", errno);
  std::vector<uint8_t> piece(1 << 16);
  while (true) {
    INTSAM_ASSIGN(const size_t n, ReadSome(file.value(), path, piece.data(), piece.size()));
    if (n == 0) return Status();
    INTSAM_TRY(take({piece.data(), n}));
  }
}

Status ForEachLine(const std::string& path, FunctionRef<Status(std::string_view)> take) {
  std::string begun;  // a line whose end is in a later piece
  return ReadPieces(path, [&](std::span<const uint8_t> piece) -> Status {
    std::string_view rest(reinterpret_cast<const char*>(piece.data()), piece.size());
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      begun += rest.substr(0, end);
      INTSAM_TRY(take(begun));
      begun.clear();
    }
    begun += rest;
    return Status();
  });
}

}  // namespace intsam::internal
