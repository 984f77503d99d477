#include "files/append_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "files/temporary.h"

namespace intsam::internal {
namespace {

// A file system that cannot sync is one where nothing more can be done.
bool Sync(int descriptor) { return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP; }

}  // namespace

Result<AppendFile> AppendFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor < 0) return IoError(path, "cannot open", errno);
  AppendFile file(path, descriptor, 0);
  struct stat info;
  if (fstat(descriptor, &info) != 0) return IoError(path, "cannot open", errno);
  if (!S_ISREG(info.st_mode)) return Status(Code::kIo, path + ": cannot write: not a regular file");
  // File systems without locks have no other process to be told from.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return Status(Code::kUsage, path + ": another process is writing it");
  file.size_ = static_cast<uint64_t>(info.st_size);
  if (file.size_ == 0) SyncDirectoryOf(path);
  return file;
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status AppendFile::Append(std::string_view data) {
  int error = 0;
  for (size_t done = 0; done < data.size() && error == 0;) {
    const ssize_t written =
        pwrite(descriptor_, data.data() + done, data.size() - done, static_cast<off_t>(size_ + done));
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && !Sync(descriptor_)) error = errno;
  if (error == 0) {
    size_ += data.size();
    return Status();
  }
  static_cast<void>(ftruncate(descriptor_, static_cast<off_t>(size_)));  // whoever goes on cuts it off otherwise
  return IoError(path_, "cannot write", error);
}

Status AppendFile::Truncate(uint64_t size) {
  if (size > size_) {
    return Status(Code::kDamaged, path_ + ": has " + std::to_string(size_) + " bytes, and " + std::to_string(size) +
                                      " have been written");
  }
  if (size == size_) return Status();
  if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0 || !Sync(descriptor_))
    return IoError(path_, "cannot cut", errno);
  size_ = size;
  return Status();
}

}  // namespace intsam::internal
