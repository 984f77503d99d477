// A library to be preloaded (LD_PRELOAD) into a tool: something happens at one of its steps that change files. Steps
// are calls of open (for writing), write, pwrite, fsync, ftruncate, fchmod, rename, mkdir, unlink and rmdir, counted
// from 0; those on pipes, terminals and devices do not count.
//   INTSAM_STEP=N          at step N
//   INTSAM_FAULT=kill:S    signal S is sent to the process before the step is taken
//   INTSAM_FAULT=fail:E    the step fails with errno E; unlink and rmdir do not
//   INTSAM_FAULT=on:E      this step and all behind it that need room or a healthy disk (not unlink, rmdir) fail
//   INTSAM_COUNT_FILE=F    how many steps there were is written to F at the end
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum class Fault { kNone, kKill, kFail, kFailOn };

std::atomic<long> steps{0};
long fault_step = -1;
Fault fault = Fault::kNone;
int fault_value = 0;  // a signal or an errno

[[gnu::constructor]] void Begin() {
  if (const char* number = std::getenv("INTSAM_STEP")) fault_step = std::strtol(number, nullptr, 10);
  const char* text = std::getenv("INTSAM_FAULT");
  const char* colon = text == nullptr ? nullptr : std::strchr(text, ':');
  if (colon == nullptr) return;
  fault_value = std::atoi(colon + 1);
  fault = text[0] == 'k' ? Fault::kKill : text[0] == 'f' ? Fault::kFail : Fault::kFailOn;
}

template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

[[gnu::destructor]] void End() {
  const long counted = steps;  // the report is no step
  const char* path = std::getenv("INTSAM_COUNT_FILE");
  std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%ld\n", counted);
  std::fclose(file);
}

// Counts a step; whether it has to fail, with errno set.
bool Fails(bool may_fail) {
  const long step = steps.fetch_add(1);
  if (fault == Fault::kKill && step == fault_step) kill(getpid(), fault_value);
  const bool fails = may_fail && ((fault == Fault::kFail && step == fault_step) ||
                                  (fault == Fault::kFailOn && fault_step >= 0 && step >= fault_step));
  if (fails) errno = fault_value;
  return fails;
}

bool IsFile(int descriptor) {
  struct stat info;
  return fstat(descriptor, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

int Open(const char* name, const char* path, int flags, mode_t mode) {
  if ((flags & O_ACCMODE) != O_RDONLY && Fails(true)) return -1;
  return Real<int(const char*, int, ...)>(name)(path, flags, mode);
}

}  // namespace

#pragma GCC visibility push(default)  // in the place of the real ones
extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  std::va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open("open64", path, flags, mode);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  if (IsFile(descriptor) && Fails(true)) return -1;
  return Real<ssize_t(int, const void*, size_t)>("write")(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) {
  if (Fails(true)) return -1;
  return Real<ssize_t(int, const void*, size_t, off_t)>("pwrite")(descriptor, data, size, at);
}

int fsync(int descriptor) { return Fails(true) ? -1 : Real<int(int)>("fsync")(descriptor); }
int ftruncate(int descriptor, off_t size) noexcept {
  return Fails(true) ? -1 : Real<int(int, off_t)>("ftruncate")(descriptor, size);
}
int fchmod(int descriptor, mode_t mode) noexcept {
  return Fails(true) ? -1 : Real<int(int, mode_t)>("fchmod")(descriptor, mode);
}
int rename(const char* from, const char* to) noexcept {
  return Fails(true) ? -1 : Real<int(const char*, const char*)>("rename")(from, to);
}
int mkdir(const char* path, mode_t mode) noexcept {
  return Fails(true) ? -1 : Real<int(const char*, mode_t)>("mkdir")(path, mode);
}
int unlink(const char* path) noexcept {
  Fails(false);
  return Real<int(const char*)>("unlink")(path);
}
int rmdir(const char* path) noexcept {
  Fails(false);
  return Real<int(const char*)>("rmdir")(path);
}

}  // extern "C"
#pragma GCC visibility pop
