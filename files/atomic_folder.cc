// See atomic_folder.h. What the signal handler must remove stands in a fixed table: its entries are published by an
// atomic state, the names in a folder by their size.
#include "files/atomic_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "files/interrupt.h"
#include "files/temporary.h"

namespace intsam::internal {
namespace {

constexpr size_t kNameBytes = size_t{1} << 20;

enum SlotState { kFree, kClaimed, kPublished };

struct Slot {
  std::atomic<int> state{kFree};
  std::atomic<bool> made{false};  // the temporary folder
  std::atomic<int> parents{0};    // folders above it that were made, the nearest ones
  std::atomic<size_t> names_size{0};
  char path[kTemporaryPathBytes];  // of the temporary folder
  char names[kNameBytes];          // in it, each with a NUL; pages that are not used cost no memory
};

Slot slots[kTemporarySlots];

// Appends to a path of kTemporaryPathBytes without anything that a signal handler may not call.
void RemoveAll(const Slot& slot) {
  char path[kTemporaryPathBytes + 256];
  const size_t length = std::strlen(slot.path);
  std::memcpy(path, slot.path, length + 1);
  path[length] = '/';
  for (size_t at = 0, end = slot.names_size; at < end;) {
    const size_t size = std::strlen(slot.names + at) + 1;
    std::memcpy(path + length + 1, slot.names + at, size);
    unlink(path);
    at += size;
  }
  path[length] = '\0';
  if (slot.made) rmdir(path);
  for (int i = slot.parents; i > 0; --i) {
    char* slash = std::strrchr(path, '/');
    if (slash == nullptr) break;
    *slash = '\0';
    rmdir(path);  // fails, as it should, when somebody else has put something there
  }
}

extern "C" void RemoveTemporaryFolders() {
  for (const Slot& slot : slots) {
    if (slot.state.load() == kPublished) RemoveAll(slot);
  }
}

int ClaimSlot() {
  for (int i = 0; i < kTemporarySlots; ++i) {
    int expected = kFree;
    if (slots[i].state.compare_exchange_strong(expected, kClaimed)) return i;
  }
  return -1;
}

bool IsFolder(const char* path) {
  struct stat entry;
  return stat(path, &entry) == 0 && S_ISDIR(entry.st_mode);
}

// Makes the folders that lead to `path` and counts them in the slot; on failure there are none, and errno says why.
bool MakeParents(const std::string& path, Slot& slot) {
  std::string folder = path;  // up to a NUL in place of a slash: nothing may throw between two of them
  int made = 0;
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    folder[slash] = '\0';
    const int error = mkdir(folder.c_str(), 0777) == 0 ? 0 : errno;
    made += error == 0;
    // Of a folder that exists it may also be about the one above it.
    if (error != 0 && !IsFolder(folder.c_str())) {
      for (; made > 0; --made) {
        slash = path.rfind('/', slash - 1);
        folder[slash] = '\0';
        rmdir(folder.c_str());
      }
      errno = error == EEXIST ? ENOTDIR : error;
      return false;
    }
    folder[slash] = '/';
  }
  slot.parents = made;
  return true;
}

// Makes and locks the temporary folder; the descriptor, or -1 with errno. EEXIST: somebody is at work under this name.
int MakeLocked(const std::string& temporary) {
  for (int attempt = 0; attempt < kTemporaryAttempts; ++attempt) {
    if (mkdir(temporary.c_str(), 0777) != 0) {
      if (errno != EEXIST) return -1;
      if (!RemoveStale(temporary)) break;
      continue;
    }
    const int descriptor = open(temporary.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
      const int error = errno;
      rmdir(temporary.c_str());
      errno = error;
      return -1;
    }
    if (LockNew(descriptor, temporary)) return descriptor;
    close(descriptor);
  }
  errno = EEXIST;
  return -1;
}

// A path without slashes at its end and without doubled ones, so that each slash parts two names.
std::string Plain(const std::string& path) {
  std::string plain;
  for (const char c : path) {
    if (c != '/' || plain.empty() || plain.back() != '/') plain += c;
  }
  if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

}  // namespace

Result<AtomicFolder> AtomicFolder::Create(const std::string& path, bool overwrite) {
  const std::string target = Plain(path);
  if (target.empty()) return IoError("''", "cannot create", ENOENT);
  struct stat existing;
  if (lstat(target.c_str(), &existing) == 0) {
    if (!overwrite) return Status(Code::kUsage, path + ": exists already; --overwrite writes into it");
    if (!IsFolder(target.c_str())) return Status(Code::kUsage, path + ": exists and is not a folder");
  }
  const std::string prefix = TemporaryPrefix(target);
  if (prefix.size() + 16 >= kTemporaryPathBytes) return IoError(path, "cannot create", ENAMETOOLONG);
  AtInterrupt(RemoveTemporaryFiles);  // first, as they are in the folders
  AtInterrupt(RemoveTemporaryFolders);
  const int index = ClaimSlot();
  if (index < 0) return Status(Code::kResource, path + ": cannot write: too many unfinished output folders");
  Slot& slot = slots[index];
  slot.made = false, slot.parents = 0, slot.names_size = 0;
  std::memcpy(slot.path, prefix.c_str(), prefix.size() + 1);
  // From here on the object removes what is made, also where memory runs out.
  AtomicFolder folder(target, index);
  const InterruptBlock block;  // the handler must know of all that is made, and of nothing else
  int error = 0;
  if (!MakeParents(target, slot)) {
    error = errno;
  } else {
    error = EEXIST;
    for (int attempt = 0; attempt < kTemporaryAttempts && folder.descriptor_ < 0 && error == EEXIST; ++attempt) {
      folder.temporary_ = TemporaryName(prefix, attempt);
      std::memcpy(slot.path, folder.temporary_.c_str(), folder.temporary_.size() + 1);
      folder.descriptor_ = MakeLocked(folder.temporary_);
      error = errno;
    }
  }
  if (folder.descriptor_ < 0) return IoError(path, "cannot create the folder", error);
  slot.made = true;
  slot.state = kPublished;
  return folder;
}

AtomicFolder::AtomicFolder(AtomicFolder&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      names_(std::move(other.names_)),
      slot_(std::exchange(other.slot_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFolder::~AtomicFolder() {
  if (slot_ >= 0) {
    const InterruptBlock block;
    slots[slot_].state = kClaimed;
    RemoveAll(slots[slot_]);
    slots[slot_].state = kFree;
  }
  if (descriptor_ >= 0) close(descriptor_);
}

Result<std::string> AtomicFolder::Add(const std::string& name) {
  Slot& slot = slots[slot_];
  const size_t at = slot.names_size;
  if (name.size() > 255 || at + name.size() + 1 > kNameBytes)
    return Status(Code::kResource, path_ + ": too many files for one folder");
  std::memcpy(slot.names + at, name.c_str(), name.size() + 1);
  slot.names_size = at + name.size() + 1;
  names_.push_back(name);
  return temporary_ + "/" + name;
}

Status AtomicFolder::Named(const Status& status) const {
  std::string message = status.message();
  if (message.starts_with(temporary_)) message.replace(0, temporary_.size(), path_);
  return Status(status.code(), std::move(message));
}

Status AtomicFolder::Commit() {
  const InterruptBlock block;  // of a folder that exists nothing may be left half replaced
  Slot& slot = slots[slot_];
  if (IsFolder(path_.c_str())) {
    std::vector<std::pair<std::string, std::string>> moves;  // all before the first: memory may run out
    for (const std::string& name : names_) moves.emplace_back(temporary_ + "/" + name, path_ + "/" + name);
    for (const auto& [from, to] : moves) {
      if (rename(from.c_str(), to.c_str()) != 0) return IoError(to, "cannot rename into place", errno);
    }
    rmdir(temporary_.c_str());
  } else if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    return IoError(path_, "cannot rename into place", errno);
  }
  slot.state = kFree;
  slot_ = -1;
  SyncDirectoryOf(path_);
  return Status();
}

}  // namespace intsam::internal
