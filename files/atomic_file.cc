// See atomic_file.h. The signal handler finds the names of temporaries in a fixed table whose entries are published by
// an atomic state.
#include "files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "files/interrupt.h"
#include "files/temporary.h"

namespace intsam::internal {
namespace {

constexpr int kLinks = 40;  // as many as Linux follows

enum SlotState { kFree, kClaimed, kPublished };

struct Slot {
  std::atomic<int> state{kFree};
  char path[kTemporaryPathBytes];
};
static_assert(ATOMIC_INT_LOCK_FREE != 0);  // 1, "maybe", on ARMv5: there Linux has a routine for it, without locks

Slot slots[kTemporarySlots];

int ClaimSlot() {
  for (int i = 0; i < kTemporarySlots; ++i) {
    int expected = kFree;
    if (slots[i].state.compare_exchange_strong(expected, kClaimed)) return i;
  }
  return -1;
}

// The descriptor of a new locked file, or -1 and errno. EEXIST: somebody is at work under this name.
int CreateLocked(const std::string& temporary) {
  for (int attempt = 0; attempt < kTemporaryAttempts; ++attempt) {
    const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0) {
      if (errno != EEXIST) return -1;
      if (!RemoveStale(temporary)) break;
    } else if (LockNew(descriptor, temporary)) {
      return descriptor;
    } else {
      close(descriptor);
    }
  }
  errno = EEXIST;
  return -1;
}

// What several killed processes left behind lies under the numbers after the one that was free.
void RemoveStaleAfter(const std::string& prefix, int attempt) {
  while (++attempt < kTemporaryAttempts) {
    const std::string temporary = TemporaryName(prefix, attempt);
    if (access(temporary.c_str(), F_OK) != 0 || !RemoveStale(temporary)) break;
  }
}

}  // namespace

void RemoveTemporaryFiles() {
  for (Slot& slot : slots) {
    if (slot.state.load() == kPublished) unlink(slot.path);
  }
}

Result<std::string> FollowLinks(const std::string& path) {
  std::string target = path;
  for (int i = 0; i < kLinks; ++i) {
    struct stat entry;
    if (lstat(target.c_str(), &entry) != 0 || !S_ISLNK(entry.st_mode)) return target;
    std::error_code error;
    const std::string to = std::filesystem::read_symlink(target, error).string();
    if (error) return IoError(path, "cannot follow the link", error.value());
    target = to.starts_with('/') ? to : FolderOf(target) + to;
  }
  return IoError(path, "cannot follow the link", ELOOP);
}

Result<AtomicFile> AtomicFile::Create(const std::string& path) {
  INTSAM_ASSIGN(std::string target, FollowLinks(path));
  struct stat existing;
  const bool exists = stat(target.c_str(), &existing) == 0;
  if (!exists && errno != ENOENT) return IoError(path, "cannot create", errno);
  // A rename over a device node or a pipe would replace it, and over a directory fail only at the end.
  if (exists && !S_ISREG(existing.st_mode)) {
    return Status(Code::kIo, path + ": cannot write: not a regular file");
  }
  if (path.empty()) return IoError("''", "cannot create", ENOENT);
  AtInterrupt(RemoveTemporaryFiles);
  const int slot = ClaimSlot();
  if (slot < 0) return Status(Code::kResource, path + ": cannot write: too many unfinished output files");
  // From here on the object gives back what is taken, also where memory runs out.
  AtomicFile file(path, std::move(target), slot);
  const std::string prefix = TemporaryPrefix(file.target_);
  int error = prefix.size() + 16 < kTemporaryPathBytes ? EEXIST : ENAMETOOLONG;
  for (int attempt = 0; attempt < kTemporaryAttempts && error == EEXIST; ++attempt) {
    file.temporary_ = TemporaryName(prefix, attempt);
    // Create first, publish second: the handler must never unlink a file that is not ours.
    const InterruptBlock block;
    file.descriptor_ = CreateLocked(file.temporary_);
    if (file.descriptor_ >= 0) {
      std::memcpy(slots[slot].path, file.temporary_.c_str(), file.temporary_.size() + 1);
      slots[slot].state = kPublished;
      RemoveStaleAfter(prefix, attempt);
      if (exists) static_cast<void>(fchmod(file.descriptor_, existing.st_mode & 0777));
      return file;
    }
    error = errno;
  }
  return IoError(path, error == EEXIST ? "cannot create a temporary file beside it" : "cannot create", error);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::move(other.temporary_)),
      slot_(std::exchange(other.slot_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    Discard();
    path_ = std::move(other.path_);
    target_ = std::move(other.target_);
    temporary_ = std::move(other.temporary_);
    slot_ = std::exchange(other.slot_, -1);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

AtomicFile::~AtomicFile() { Discard(); }

void AtomicFile::Discard() {
  if (slot_ >= 0) {
    const InterruptBlock block;
    // Out of the handler's sight first, closed last: without the lock the name may be another process's.
    slots[slot_].state = kClaimed;
    if (descriptor_ >= 0) unlink(temporary_.c_str());
    slots[slot_].state = kFree;
  }
  slot_ = -1;
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

Status AtomicFile::Fail(const char* action, int error) {
  Discard();
  return IoError(path_, action, error);
}

Status AtomicFile::Write(const void* data, size_t size) {
  if (descriptor_ < 0) return Fail("cannot write", EBADF);
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(descriptor_, at, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return Fail("cannot write", errno);
    }
    at += written;
    size -= static_cast<size_t>(written);
  }
  return Status();
}

Status AtomicFile::Sync() {
  if (descriptor_ < 0) return Fail("cannot sync", EBADF);
  if (fsync(descriptor_) != 0) return Fail("cannot sync", errno);
  return Status();
}

Status AtomicFile::Commit() {
  INTSAM_TRY(Sync());
  {
    const InterruptBlock block;
    slots[slot_].state = kClaimed;  // once renamed, the temporary's name may be another process's
    if (rename(temporary_.c_str(), target_.c_str()) != 0) return Fail("cannot rename into place", errno);
    slots[std::exchange(slot_, -1)].state = kFree;
  }
  close(std::exchange(descriptor_, -1));  // what it could report, Sync has
  SyncDirectoryOf(target_);
  return Status();
}

}  // namespace intsam::internal
