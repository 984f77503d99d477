// Whole files into memory, with a limit. Memory grows with the bytes that arrive, never with what a size field says.
#include "apps/common/file_bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace intsam::internal {

Result<std::vector<uint8_t>> ReadFileBytes(const std::string& path, size_t limit) {
  const auto failure = [&](const char* action) {
    return Status(Code::kIo, path + ": " + action + ": " + std::strerror(errno));
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failure("cannot open");
  std::vector<uint8_t> bytes;
  size_t size = 0;
  Status status;
  while (true) {
    if (size == bytes.size()) bytes.resize(std::min(std::max<size_t>(2 * size, 1 << 16), limit + 1));
    const ssize_t n = read(descriptor, bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) status = failure("cannot read");
    if (n <= 0) break;
    size += static_cast<size_t>(n);
    if (size > limit) {
      status = Status(Code::kResource, path + ": larger than the limit of " + std::to_string(limit) + " bytes");
      break;
    }
  }
  close(descriptor);
  if (!status.ok()) return status;
  bytes.resize(size);
  return bytes;
}

}  // namespace intsam::internal
