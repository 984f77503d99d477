// --sandbox: a process that can do nothing any more but read and write the files that it was started for, and compute.
// For services that decode strangers' photos: what a fault of a decoder could make the process do is little then.
#ifndef INTSAM_APPS_COMMON_SANDBOX_H_
#define INTSAM_APPS_COMMON_SANDBOX_H_

#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

// Names are followed when they are given; where nothing is, nothing is allowed. "": none, "-": that of a file.
struct SandboxPaths {
  std::vector<std::string> read;   // files, and folders with all that is below them
  std::vector<std::string> write;  // folders: files and folders below them may be read, made, changed and removed
};

// kUnsupported where the build or the kernel has none. For tools that make something before they enter it.
Status CheckSandbox();

// For ever, for this thread and all that it will start, which may use what is open already and SandboxPaths. Everything
// else fails as where there is no permission (files, by Landlock) or no such system call (ENOSYS, by seccomp): other
// files, programs, processes, sockets, code that is made at run time, devices. What stays is in sandbox.cc.
// kUnsupported as CheckSandbox: where not all of it can be had the tool must end. kInternal when there are other
// threads already, which it would not bind.
Status EnterSandbox(const SandboxPaths& paths);

// For --version: "libseccomp 2.5.4 and Landlock", or "none (built without libseccomp)".
std::string SandboxLibraries();

// The folder of `file` as one of SandboxPaths: "." for a name without a folder, and for "-".
std::string SandboxFolderOf(const std::string& file);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_SANDBOX_H_
