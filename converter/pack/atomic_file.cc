// See atomic_file.h. The signal handler may only touch async-signal-safe things: a fixed table of temporary names whose
// entries are published by an atomic state, unlink and _exit.
#include "converter/pack/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

namespace intsam::internal {
namespace {

constexpr int kSlots = 16;
constexpr size_t kPathBytes = 4096;
constexpr int kNameAttempts = 1000;

enum SlotState { kFree, kClaimed, kPublished };

struct Slot {
  std::atomic<int> state{kFree};
  char path[kPathBytes];
};
static_assert(ATOMIC_INT_LOCK_FREE != 0);  // 1, "maybe", on ARMv5: there Linux has a routine for it, without locks

Slot slots[kSlots];

extern "C" void RemoveTemporariesAndExit(int) {
  for (Slot& slot : slots) {
    if (slot.state.load() == kPublished) unlink(slot.path);
  }
  _exit(static_cast<int>(Code::kCancelled));
}

void InstallHandlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (int signal : {SIGINT, SIGTERM}) {
      struct sigaction current;
      // An ignored signal stays ignored (nohup, background jobs of a shell).
      if (sigaction(signal, nullptr, &current) != 0 || current.sa_handler == SIG_IGN) continue;
      struct sigaction action = {};
      action.sa_handler = RemoveTemporariesAndExit;
      sigemptyset(&action.sa_mask);
      sigaction(signal, &action, nullptr);
    }
  });
}

// Keeps this thread from being interrupted between creating a file and publishing its name.
class SignalBlock {
 public:
  SignalBlock() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalBlock() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

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

// A rename is durable once its directory is synced. Some file systems cannot sync directories; that is no failure.
void SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

Result<AtomicFile> AtomicFile::Create(const std::string& path) {
  struct stat existing;
  // A rename over a device node or a pipe would replace it, and over a directory fail only at the end.
  if (stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode)) {
    return Status(Code::kIo, path + ": cannot write: not a regular file");
  }
  InstallHandlers();
  const int slot = ClaimSlot();
  if (slot < 0) return Status(Code::kResource, path + ": cannot write: too many unfinished output files");
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    std::string temporary = path + ".part-" + std::to_string(getpid()) + "-" + std::to_string(attempt);
    if (temporary.size() >= kPathBytes) {
      slots[slot].state = kFree;
      return Status(Code::kResource, path.substr(0, 64) + "...: cannot write: the path is too long");
    }
    // Create first, publish second: the handler must never unlink a file that is not ours.
    const SignalBlock block;
    const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
      std::memcpy(slots[slot].path, temporary.c_str(), temporary.size() + 1);
      slots[slot].state = kPublished;
      return AtomicFile(path, std::move(temporary), slot, descriptor);
    }
    if (errno != EEXIST) {
      const int error = errno;
      slots[slot].state = kFree;
      return IoError(path, "cannot create", error);
    }
  }
  slots[slot].state = kFree;
  return IoError(path, "cannot create a temporary file beside it", EEXIST);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      slot_(std::exchange(other.slot_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    Discard();
    path_ = std::move(other.path_);
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
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return Fail("cannot rename into place", errno);
  slots[slot_].state = kFree;
  slot_ = -1;
  SyncDirectoryOf(path_);
  return Status();
}

}  // namespace intsam::internal
