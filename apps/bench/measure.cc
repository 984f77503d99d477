#include "apps/bench/measure.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace intsam::internal {

double Samples::Median() const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  const size_t n = sorted.size();
  return n == 0 ? 0 : n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double Samples::Spread() const {
  if (seconds.empty()) return 0;
  const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
  return (*most - *least) / Median();
}

double Seconds(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<double> PeakMiBOfChild(const std::function<Status()>& body) {
  int channel[2];
  if (pipe(channel) != 0) return Error(Code::kIo, "cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) return Error(Code::kResource, "cannot fork");
  if (child == 0) {
    close(channel[0]);
    const Status status = body();
    const ssize_t written = write(channel[1], status.message().data(), status.message().size());
    _exit(written < 0 ? static_cast<int>(Code::kInternal) : static_cast<int>(status.code()));
  }
  close(channel[1]);
  std::string message;
  char buffer[512];
  for (ssize_t n; (n = read(channel[0], buffer, sizeof buffer)) > 0;) message.append(buffer, static_cast<size_t>(n));
  close(channel[0]);
  int exit_status = 0;
  rusage usage = {};
  if (wait4(child, &exit_status, 0, &usage) != child) return Error(Code::kInternal, "lost the child process");
  if (!WIFEXITED(exit_status))
    return Error(Code::kInternal, "the child process died of signal %d", WTERMSIG(exit_status));
  if (WEXITSTATUS(exit_status) != 0) return Status(static_cast<Code>(WEXITSTATUS(exit_status)), message);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  utsname machine = {};
  uname(&machine);
  return machine.machine;
}

}  // namespace intsam::internal
