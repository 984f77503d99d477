// A file that appears under its name only when it is complete: written to a temporary in the same folder, synced, then
// renamed. An uncommitted file vanishes on destruction and when a signal ends the process (files/interrupt.h). Several
// files may be open at once.
//
//   INTSAM_ASSIGN(AtomicFile file, AtomicFile::Create(path));
//   INTSAM_TRY(file.Write(data, size));
//   INTSAM_TRY(file.Sync());    // optional: file.temporary_path() may now be reopened and verified
//   INTSAM_TRY(file.Commit());
//
// A name that is a symbolic link is followed: the file that it points to is written or replaced. An existing file keeps
// its permissions. A process that was killed leaves its temporary, named after the output and locked while in use; the
// next process that writes the same output removes it.
#ifndef INTSAM_FILES_ATOMIC_FILE_H_
#define INTSAM_FILES_ATOMIC_FILE_H_

#include <cstddef>
#include <string>

#include "runtime/base/status.h"

namespace intsam::internal {

class AtomicFile {
 public:
  // Every error here is kIo with errno's text, or kResource (too many open files of this kind), and starts with the
  // path as given.
  static Result<AtomicFile> Create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  // After a failure the temporary is gone and every further call fails.
  Status Write(const void* data, size_t size);
  Status Sync();
  Status Commit();  // replaces an existing regular file of that name

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_; }

 private:
  AtomicFile(std::string path, std::string target, int slot)
      : path_(std::move(path)), target_(std::move(target)), slot_(slot) {}
  Status Fail(const char* action, int error);
  void Discard();

  std::string path_;    // as given
  std::string target_;  // without links
  std::string temporary_;
  int slot_;  // in the table of the signal handler; -1: committed, failed or moved from
  int descriptor_ = -1;
};

// What `path` names once symbolic links in its last component are followed, whether or not that exists: what writing to
// `path` would write. kIo when there are too many links.
Result<std::string> FollowLinks(const std::string& path);

}  // namespace intsam::internal

#endif  // INTSAM_FILES_ATOMIC_FILE_H_
