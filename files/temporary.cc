#include "files/temporary.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/base/sha256.h"

namespace intsam::internal {

Status IoError(const std::string& path, const char* action, int error) {
  return Status(Code::kIo, path + ": " + action + ": " + std::strerror(error));
}

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

void SyncDirectoryOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const int descriptor = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

std::string TemporaryPrefix(const std::string& target) {
  const std::string folder = FolderOf(target), name = target.substr(folder.size());
  return folder + ".intsam-" + ToHex(Sha256Of(name.data(), name.size())).substr(0, 16) + "-";
}

std::string TemporaryName(const std::string& prefix, int attempt) { return prefix + std::to_string(attempt) + ".part"; }

#ifdef __EMSCRIPTEN__
// Every flock() succeeds there, so nothing can be told from it.
bool LockNew(int, const std::string&) { return true; }
bool RemoveStale(const std::string&) { return false; }
#else
namespace {

bool IsSameFile(int descriptor, const std::string& path) {
  struct stat open_file, named;
  return fstat(descriptor, &open_file) == 0 && stat(path.c_str(), &named) == 0 && open_file.st_dev == named.st_dev &&
         open_file.st_ino == named.st_ino;
}

}  // namespace

bool LockNew(int descriptor, const std::string& temporary) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  return IsSameFile(descriptor, temporary);
}

bool RemoveStale(const std::string& temporary) {
  const int descriptor = open(temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return errno == ENOENT;
  bool gone = false;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    std::error_code error;
    if (IsSameFile(descriptor, temporary)) std::filesystem::remove_all(temporary, error);
    gone = !error;
  }
  close(descriptor);
  return gone;
}
#endif

}  // namespace intsam::internal
