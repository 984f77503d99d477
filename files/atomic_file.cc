// See atomic_file.h. The signal handler finds the names of temporaries in a fixed table whose entries are published by
// an atomic state.
#include "files/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "files/interrupt.h"
#include "runtime/base/sha256.h"

namespace intsam::internal {
namespace {

constexpr int kSlots = 16;
constexpr size_t kPathBytes = 4096 + 256;
constexpr int kNameAttempts = 1000;
constexpr int kLinks = 40;  // as many as Linux follows

enum SlotState { kFree, kClaimed, kPublished };

struct Slot {
  std::atomic<int> state{kFree};
  char path[kPathBytes];
};
static_assert(ATOMIC_INT_LOCK_FREE != 0);  // 1, "maybe", on ARMv5: there Linux has a routine for it, without locks

Slot slots[kSlots];

extern "C" void RemoveTemporaries() {
  for (Slot& slot : slots) {
    if (slot.state.load() == kPublished) unlink(slot.path);
  }
}

int ClaimSlot() {
  for (int i = 0; i < kSlots; ++i) {
    int expected = kFree;
    if (slots[i].state.compare_exchange_strong(expected, kClaimed)) return i;
  }
  return -1;
}

Status IoError(const std::string& path, const char* action, int error) {
  return Status(Code::kIo, path + ": " + action + ": " + std::strerror(error));
}

// With the slash; empty for the current folder.
std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

// A rename is durable once its directory is synced. Some file systems cannot sync directories; that is no failure.
void SyncDirectoryOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const int descriptor = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

// ".intsam-<hash of the output's name>-": as long for every output, since that may be as long as names can be.
std::string TemporaryPrefix(const std::string& target) {
  const std::string folder = FolderOf(target), name = target.substr(folder.size());
  return folder + ".intsam-" + ToHex(Sha256Of(name.data(), name.size())).substr(0, 16) + "-";
}

std::string TemporaryName(const std::string& prefix, int attempt) { return prefix + std::to_string(attempt) + ".part"; }

// A temporary is locked while its process lives, and only who holds the lock may remove it.
#ifdef __EMSCRIPTEN__
// Every flock() succeeds there, so nothing can be told from it.
bool LockNew(int, const std::string&) { return true; }
bool RemoveStale(const std::string&) { return false; }
#else
bool IsSameFile(int descriptor, const std::string& path) {
  struct stat open_file, named;
  return fstat(descriptor, &open_file) == 0 && stat(path.c_str(), &named) == 0 && open_file.st_dev == named.st_dev &&
         open_file.st_ino == named.st_ino;
}

// False when another process took the new file for a stale one before it was locked, and removes it. A file system
// without locks is one where nothing is stale.
bool LockNew(int descriptor, const std::string& temporary) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  return IsSameFile(descriptor, temporary);
}

// Removes a temporary that nobody holds locked: its process has ended. False when it is still there.
bool RemoveStale(const std::string& temporary) {
  const int descriptor = open(temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return errno == ENOENT;
  bool gone = false;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    gone = !IsSameFile(descriptor, temporary) || unlink(temporary.c_str()) == 0;
  }
  close(descriptor);
  return gone;
}
#endif

// The descriptor of a new locked file, or -1 and errno. EEXIST: somebody is at work under this name.
int CreateLocked(const std::string& temporary) {
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
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
  while (++attempt < kNameAttempts) {
    const std::string temporary = TemporaryName(prefix, attempt);
    if (access(temporary.c_str(), F_OK) != 0 || !RemoveStale(temporary)) break;
  }
}

}  // namespace

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
  AtInterrupt(RemoveTemporaries);
  const int slot = ClaimSlot();
  if (slot < 0) return Status(Code::kResource, path + ": cannot write: too many unfinished output files");
  const std::string prefix = TemporaryPrefix(target);
  int error = prefix.size() + 16 < kPathBytes ? EEXIST : ENAMETOOLONG;
  for (int attempt = 0; attempt < kNameAttempts && error == EEXIST; ++attempt) {
    std::string temporary = TemporaryName(prefix, attempt);
    // Create first, publish second: the handler must never unlink a file that is not ours.
    const InterruptBlock block;
    const int descriptor = CreateLocked(temporary);
    if (descriptor >= 0) {
      std::memcpy(slots[slot].path, temporary.c_str(), temporary.size() + 1);
      slots[slot].state = kPublished;
      RemoveStaleAfter(prefix, attempt);
      if (exists) static_cast<void>(fchmod(descriptor, existing.st_mode & 0777));
      return AtomicFile(path, std::move(target), std::move(temporary), slot, descriptor);
    }
    error = errno;
  }
  slots[slot].state = kFree;
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
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
  if (slot_ < 0) return;
  unlink(temporary_.c_str());
  slots[slot_].state = kFree;
  slot_ = -1;
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
  if (close(std::exchange(descriptor_, -1)) != 0) return Fail("cannot close", errno);
  if (rename(temporary_.c_str(), target_.c_str()) != 0) return Fail("cannot rename into place", errno);
  slots[slot_].state = kFree;
  slot_ = -1;
  SyncDirectoryOf(target_);
  return Status();
}

}  // namespace intsam::internal
