// Names and locks of what is not complete yet, for atomic_file.cc and atomic_folder.cc.
#ifndef INTSAM_FILES_TEMPORARY_H_
#define INTSAM_FILES_TEMPORARY_H_

#include <cstddef>
#include <string>

#include "runtime/base/status.h"

namespace intsam::internal {

constexpr int kTemporarySlots = 16;                 // outputs of one kind that may be unfinished at a time
constexpr size_t kTemporaryPathBytes = 4096 + 256;  // of a path that a signal handler knows
constexpr int kTemporaryAttempts = 1000;            // names that are tried

// For AtInterrupt: removes what is not complete of all AtomicFiles.
void RemoveTemporaryFiles();

// kIo with errno's text.
Status IoError(const std::string& path, const char* action, int error);

// With the slash; empty for the current folder.
std::string FolderOf(const std::string& path);

// A rename is durable once its directory is synced. Some file systems cannot sync directories; that is no failure.
void SyncDirectoryOf(const std::string& path);

// ".intsam-<hash of the output's name>-" in the output's folder: as long for every output, since that may be as long as
// names can be.
std::string TemporaryPrefix(const std::string& target);
std::string TemporaryName(const std::string& prefix, int attempt);

// A temporary is locked while its process lives, and only who holds the lock may remove it.
// False when another process took what is open for a stale one before it was locked, and removes it. A file system
// without locks is one where nothing is stale.
bool LockNew(int descriptor, const std::string& temporary);
// Removes a temporary, file or folder, that nobody holds locked: its process has ended. False when it is still there.
bool RemoveStale(const std::string& temporary);

}  // namespace intsam::internal

#endif  // INTSAM_FILES_TEMPORARY_H_
