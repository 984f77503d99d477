// See sandbox.h. Landlock decides about files, seccomp about system calls. Neither needs privileges.
#include "apps/common/sandbox.h"

#ifdef INTSAM_HAVE_LIBSECCOMP
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "apps/common/photo/photo_reader.h"
#endif
#include "files/temporary.h"

namespace intsam::internal {

std::string SandboxFolderOf(const std::string& file) {
  std::string folder = FolderOf(file);
  return folder.empty() ? "." : folder;
}

#ifndef INTSAM_HAVE_LIBSECCOMP

std::string SandboxLibraries() { return "none (built without libseccomp)"; }

Status CheckSandbox() {
  return Status(Code::kUnsupported, "--sandbox: this build has none: it needs Linux, and libseccomp when it is built");
}
Status EnterSandbox(const SandboxPaths&) { return CheckSandbox(); }

#else
namespace {

// What Landlock knows since its second version, that of Linux 5.19: the first one cannot move files between folders.
// Truncating came later; seccomp keeps it to files that are open for writing.
constexpr int kLandlockVersion = 2;
constexpr uint64_t kRefer = uint64_t{1} << 13;  // LANDLOCK_ACCESS_FS_REFER, which older headers lack
constexpr uint64_t kAllRights = (kRefer << 1) - 1;
constexpr uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWrite = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                            LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                            LANDLOCK_ACCESS_FS_REMOVE_DIR | kRefer;
constexpr uint64_t kOfFiles = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;

// How many threads are sensible here, which a session asks (runtime/base/cpu.cc).
constexpr const char* kCpuFiles[] = {"/proc/self/cgroup", "/sys/fs/cgroup"};

// Calls without conditions. Names that an architecture or a kernel lacks are passed over.
constexpr const char* kCalls[] = {
    // Open files.
    "read", "readv", "pread64", "write", "writev", "pwrite64", "lseek", "_llseek", "close", "flock", "fsync",
    "fdatasync", "ftruncate", "ftruncate64", "fadvise64", "fadvise64_64", "poll", "ppoll", "ppoll_time64",
    // Names of files: Landlock decides which, except that whether one exists can be asked of any.
    "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "newfstatat", "fstatat64", "statx", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat",
    "rename", "renameat", "renameat2",
    // Memory.
    "munmap", "mremap", "madvise", "brk",
    // Threads and time.
    "futex", "futex_time64", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getcpu", "gettid", "exit",
    "exit_group", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "clock_gettime", "clock_gettime64",
    "clock_getres", "clock_getres_time64", "gettimeofday", "time", "restart_syscall",
    // Signals of this process.
    "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigreturn", "sigreturn",
    // What is asked about this process and the machine.
    "getpid", "getppid", "getpgrp", "getpgid", "getuid", "geteuid", "getgid", "getegid", "getrlimit", "ugetrlimit",
    "getrusage", "sysinfo", "uname", "getrandom"};

// libseccomp's terms: argument `index`, masked, has this value; argument `index` has this value.
scmp_arg_cmp Masked(unsigned index, uint64_t mask, uint64_t value) { return {index, SCMP_CMP_MASKED_EQ, mask, value}; }
scmp_arg_cmp Equal(unsigned index, uint64_t value) { return {index, SCMP_CMP_EQ, value, 0}; }

Status Refused(const char* what, int error) {
  return Status(Code::kUnsupported, std::string("--sandbox: ") + what + ": " + std::strerror(error));
}

class Landlock {
 public:
  static bool Exists() {
    return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) >= kLandlockVersion;
  }

  Landlock() {
    landlock_ruleset_attr all = {};
    all.handled_access_fs = kAllRights;
    rules_ = static_cast<int>(syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0));
  }
  ~Landlock() {
    if (rules_ >= 0) close(rules_);
  }
  Landlock(const Landlock&) = delete;
  Landlock& operator=(const Landlock&) = delete;

  Status Allow(const std::string& path, uint64_t rights) const {
    const int file = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (file < 0) return Status();  // whoever opens it will say so
    struct stat info;
    const bool folder = fstat(file, &info) == 0 && S_ISDIR(info.st_mode);
    landlock_path_beneath_attr rule = {};
    rule.allowed_access = folder ? rights : rights & kOfFiles;
    rule.parent_fd = file;
    // EBADFD: a pipe or the like by its name in /proc, for which Landlock has no rules.
    const bool done = syscall(SYS_landlock_add_rule, rules_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    const int error = done || errno == EBADFD ? 0 : errno;
    close(file);
    return error == 0 ? Status() : Refused("Landlock", error).WithPrefix(path);
  }

  Status Enter() const {
    return syscall(SYS_landlock_restrict_self, rules_, 0) == 0 ? Status() : Refused("Landlock", errno);
  }

 private:
  int rules_ = -1;
};

class SystemCalls {
 public:
  // The C library takes ENOSYS for an old kernel, and does what it would do there.
  SystemCalls() : filter_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS))) {}
  ~SystemCalls() { seccomp_release(filter_); }
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;

  void Allow(const char* call, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR || error_ != 0) return;
    error_ = seccomp_rule_add_array(filter_, SCMP_ACT_ALLOW, number, static_cast<unsigned>(conditions.size()),
                                    conditions.begin());
  }

  Status Enter() {
    if (filter_ == nullptr) return Refused("libseccomp", ENOMEM);
    const int error = error_ != 0 ? error_ : seccomp_load(filter_);
    return error == 0 ? Status() : Refused("seccomp", -error);
  }

 private:
  scmp_filter_ctx filter_;
  int error_ = 0;
};

void AllowCalls(SystemCalls& calls) {
  for (const char* call : kCalls) calls.Allow(call);
  // O_TRUNC empties a file that was opened for reading; the bits let a program run with its owner's rights.
  constexpr uint64_t kSetId = S_ISUID | S_ISGID;
  calls.Allow("open", {Masked(1, O_TRUNC, 0), Masked(2, kSetId, 0)});
  calls.Allow("openat", {Masked(2, O_TRUNC, 0), Masked(3, kSetId, 0)});
  calls.Allow("fchmod", {Masked(1, kSetId, 0)});
  // Of fcntl not what sends signals.
  for (const uint64_t command : {F_GETFD, F_SETFD, F_GETFL}) {
    for (const char* call : {"fcntl", "fcntl64"}) calls.Allow(call, {Equal(1, command)});
  }
  for (const char* call : {"mmap", "mmap2", "mprotect"}) calls.Allow(call, {Masked(2, PROT_EXEC, 0)});
  // Threads and no processes. clone3 hides its flags in memory; told that there is none, the C library uses clone.
  calls.Allow("clone", {Masked(0, CLONE_THREAD, CLONE_THREAD)});
  calls.Allow("tgkill", {Equal(0, static_cast<uint64_t>(getpid()))});
  calls.Allow("prctl", {Equal(0, PR_SET_NAME)});
  calls.Allow("prlimit64", {Equal(0, 0), Equal(2, 0)});  // asked, not set
  // Is it a terminal, how wide, whose; how much can be read.
  for (const uint64_t request : {TCGETS, TIOCGWINSZ, TIOCGPGRP, FIONREAD}) calls.Allow("ioctl", {Equal(1, request)});
#ifdef __x86_64__
  constexpr uint64_t kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM: the tiles of AMX (runtime/base/cpu.cc)
  calls.Allow("arch_prctl", {Equal(0, kRequestPermission)});
#endif
}

// Landlock binds a thread and those that it will start. Where there is no /proc nobody can tell.
bool IsOnlyThread() {
  struct stat threads;
  return stat("/proc/self/task", &threads) != 0 || threads.st_nlink == 3;  // a folder for each, and its own two
}

}  // namespace

std::string SandboxLibraries() {
  const scmp_version* version = seccomp_version();
  return "libseccomp " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->micro) + " and Landlock";
}

Status CheckSandbox() {
  if (!Landlock::Exists()) {
    return Status(Code::kUnsupported,
                  "--sandbox: this system has no Landlock: it needs Linux 5.19 or newer with it switched on");
  }
  // The documented question: a kernel that knows filters looks for this one, at no address.
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr) == 0 || errno != EFAULT)
    return Status(Code::kUnsupported, "--sandbox: this system has no filters of system calls (seccomp)");
  return Status();
}

Status EnterSandbox(const SandboxPaths& paths) {
  INTSAM_TRY(CheckSandbox());
  if (!IsOnlyThread()) return Status(Code::kInternal, "internal error, please report: --sandbox behind other threads");
  PhotoFormats();  // libheif loads its decoders when it is first asked, and could not later
  Landlock files;
  for (const std::string& path : paths.read) INTSAM_TRY(files.Allow(path, kRead));
  for (const char* path : kCpuFiles) INTSAM_TRY(files.Allow(path, kRead));
  for (const std::string& path : paths.write) INTSAM_TRY(files.Allow(path, kWrite));
  SystemCalls calls;
  AllowCalls(calls);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Refused("no_new_privs", errno);
  INTSAM_TRY(files.Enter());
  return calls.Enter();
}

#endif

}  // namespace intsam::internal
