// A file that appears under its name only when it is complete: written to a sibling temporary opened exclusively,
// synced, then renamed. An uncommitted file vanishes on destruction and on SIGINT or SIGTERM (the process then ends
// with 130); the handlers are installed by the first Create, unless the signal is ignored. Several files may be open at
// once.
//
//   INTSAM_ASSIGN(AtomicFile file, AtomicFile::Create(path));
//   INTSAM_TRY(file.Write(data, size));
//   INTSAM_TRY(file.Sync());    // optional: file.temporary_path() may now be reopened and verified
//   INTSAM_TRY(file.Commit());
#ifndef INTSAM_CONVERTER_PACK_ATOMIC_FILE_H_
#define INTSAM_CONVERTER_PACK_ATOMIC_FILE_H_

#include <cstddef>
#include <string>

#include "runtime/base/status.h"

namespace intsam::internal {

class AtomicFile {
 public:
  // Every error here is kIo with errno's text, or kResource (too many open files of this kind, path too long), and
  // starts with the path.
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
  AtomicFile(std::string path, std::string temporary, int slot, int descriptor)
      : path_(std::move(path)), temporary_(std::move(temporary)), slot_(slot), descriptor_(descriptor) {}
  Status Fail(const char* action, int error);
  void Discard();

  std::string path_, temporary_;
  int slot_;  // in the table of the signal handler; -1: committed, failed or moved from
  int descriptor_;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_PACK_ATOMIC_FILE_H_
