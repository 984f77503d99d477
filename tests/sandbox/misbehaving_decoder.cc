// A library to be preloaded (LD_PRELOAD) into a tool: while libpng decodes a picture it does what an attacker would do
// who had found a fault in it, says for each thing on standard error whether the system let it ("open: let" or
// "open: refused"), and then decodes the picture.
//   INTSAM_VICTIM=FILE      somebody else's file: read, changed, removed, ...
//   INTSAM_INPUT=FILE       a file that the tool may read, to be emptied
//   INTSAM_OUTPUT=FOLDER    a folder that the tool may write into
//   INTSAM_NO_LANDLOCK=1    the system seems to have no Landlock
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <png.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

void Say(const char* what, bool let) {
  const std::string line = std::string("misbehaving: ") + what + (let ? ": let\n" : ": refused\n");
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) std::abort();
}

bool Opens(const std::string& path, int flags) {
  const int file = open(path.c_str(), flags, 0666);
  if (file >= 0) close(file);
  return file >= 0;
}

bool Closes(int file) { return file >= 0 && close(file) == 0; }

bool Forks() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  return child > 0 && waitpid(child, nullptr, 0) == child;
}

bool MakesCode() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  const bool made = mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
  munmap(page, 4096);
  return made;
}

bool MapsCode() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page != MAP_FAILED && munmap(page, 4096) == 0;
}

// Without a program of that name it fails in any case; what matters is whether it was looked for.
bool Executes() {
  char name[] = "/nonexistent/program", *arguments[] = {name, nullptr};
  return execv(name, arguments) == -1 && errno == ENOENT;
}

// A program that runs with the rights of whoever started the tool.
bool MakesSetId(const std::string& path) {
  int file = open(path.c_str(), O_WRONLY | O_CREAT, 04755);
  bool made = file >= 0;
  if (!made) {
    file = open(path.c_str(), O_WRONLY | O_CREAT, 0755);
    made = file >= 0 && fchmod(file, 04755) == 0;
  }
  if (file >= 0) close(file);
  unlink(path.c_str());
  return made;
}

void TryFiles(const std::string& victim, const char* input) {
  Say("read", Opens(victim, O_RDONLY));
  Say("read a folder", Opens("/", O_RDONLY | O_DIRECTORY));
  Say("read the password file", Opens("/etc/passwd", O_RDONLY));
  Say("write", Opens(victim, O_WRONLY));
  Say("create", Opens(victim + ".new", O_WRONLY | O_CREAT));
  Say("make a folder", mkdir((victim + ".folder").c_str(), 0777) == 0);
  Say("remove a folder", rmdir((victim + ".folder").c_str()) == 0);
  Say("make a link", link(victim.c_str(), (victim + ".link").c_str()) == 0);
  Say("make a symbolic link", symlink(victim.c_str(), (victim + ".symlink").c_str()) == 0);
  Say("make a pipe", mkfifo((victim + ".pipe").c_str(), 0666) == 0);
  Say("truncate", truncate(victim.c_str(), 1) == 0);
  Say("change permissions", chmod(victim.c_str(), 0600) == 0);
  Say("change times", utimensat(AT_FDCWD, victim.c_str(), nullptr, 0) == 0);
  Say("rename", rename(victim.c_str(), (victim + ".renamed").c_str()) == 0);
  Say("remove", unlink((victim + ".renamed").c_str()) == 0);
  Say("empty an input", Opens(input, O_RDONLY | O_TRUNC));
  Say("write an input", Opens(input, O_WRONLY));
  Say("write memory as a file", Opens("/proc/self/mem", O_WRONLY));
}

void TryProcesses() {
  Say("make a program with the user's rights", MakesSetId(std::string(std::getenv("INTSAM_OUTPUT")) + "/program"));
  Say("send signals by a file", fcntl(STDERR_FILENO, F_SETOWN, getppid()) == 0);
  Say("fork", Forks());
  Say("execute", Executes());
  Say("signal another process", kill(getppid(), 0) == 0);
  Say("trace another process", syscall(SYS_ptrace, PTRACE_PEEKDATA, getppid(), 0, 0) == 0 || errno != ENOSYS);
  Say("read another process", syscall(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0) == 0);
  const rlimit none = {0, 0};
  Say("set limits", setrlimit(RLIMIT_CORE, &none) == 0);
  Say("be dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

void TryTheRest() {
  Say("internet socket", Closes(socket(AF_INET, SOCK_STREAM, 0)));
  Say("local socket", Closes(socket(AF_UNIX, SOCK_STREAM, 0)));
  Say("netlink socket", Closes(socket(AF_NETLINK, SOCK_RAW, 0)));
  Say("file in memory", Closes(static_cast<int>(syscall(SYS_memfd_create, "m", 0))));
  Say("make code", MakesCode());
  Say("map code", MapsCode());
}

}  // namespace

#pragma GCC visibility push(default)  // in the place of the real ones
extern "C" {

// How the tool asks for Landlock, for which the C library has no functions.
long syscall(long number, ...) {
  using Function = long (*)(long, long, long, long, long, long, long);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "syscall"));
  if (number == SYS_landlock_create_ruleset && std::getenv("INTSAM_NO_LANDLOCK") != nullptr) {
    errno = ENOSYS;
    return -1;
  }
  __builtin_va_list list;
  __builtin_va_start(list, number);
  long values[6];
  for (long& value : values) value = __builtin_va_arg(list, long);
  __builtin_va_end(list);
  return real(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

// What begins the decoding of a PNG.
void png_read_info(png_structp png, png_infop info) {
  static const auto real = reinterpret_cast<decltype(&png_read_info)>(dlsym(RTLD_NEXT, "png_read_info"));
  const char *victim = std::getenv("INTSAM_VICTIM"), *input = std::getenv("INTSAM_INPUT");
  static std::atomic_flag done = ATOMIC_FLAG_INIT;  // with the first picture
  if (victim != nullptr && input != nullptr && !done.test_and_set()) {
    TryFiles(victim, input);
    TryProcesses();
    TryTheRest();
  }
  real(png, info);
}

}  // extern "C"
#pragma GCC visibility pop
