// A folder of files that appears under its name only when it is complete: written under a temporary name beside it,
// then renamed. An uncommitted folder vanishes on destruction and when a signal ends the process (files/interrupt.h),
// and with it the folders that were made to lead to it. Several may be open at once.
//
//   INTSAM_ASSIGN(AtomicFolder folder, AtomicFolder::Create("out/photo", /*overwrite=*/false));
//   INTSAM_ASSIGN(const std::string path, folder.Add("0.png"));
//   INTSAM_TRY(folder.Named(WriteMaskPng(path, ...)));
//   INTSAM_TRY(folder.Commit());
//
// A process that was killed leaves its temporary, locked while in use; the next one that writes the same folder removes
// it.
#ifndef INTSAM_FILES_ATOMIC_FOLDER_H_
#define INTSAM_FILES_ATOMIC_FOLDER_H_

#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

class AtomicFolder {
 public:
  // kUsage when something of that name exists and, with `overwrite`, is no folder; kIo with errno's text when it cannot
  // be made; kResource for too many at a time. Messages start with the path.
  static Result<AtomicFolder> Create(const std::string& path, bool overwrite);
  AtomicFolder(AtomicFolder&& other) noexcept;
  AtomicFolder& operator=(AtomicFolder&&) = delete;
  ~AtomicFolder();

  // Where to write the file that will be `name` in the folder, a name without slashes. kResource for more names than a
  // signal handler can be told, 1 MiB.
  Result<std::string> Add(const std::string& name);

  // An error of writing such a file, about the name that it will have.
  Status Named(const Status& status) const;

  // A new folder appears as a whole. Into one that exists each file is moved, in the order in which they were added,
  // over those of the same name; others stay.
  Status Commit();

 private:
  AtomicFolder(std::string path, int slot) : path_(std::move(path)), slot_(slot) {}

  std::string path_, temporary_;
  std::vector<std::string> names_;
  int slot_;             // in the table of the signal handler; -1: committed or moved from
  int descriptor_ = -1;  // holds the lock
};

}  // namespace intsam::internal

#endif  // INTSAM_FILES_ATOMIC_FOLDER_H_
