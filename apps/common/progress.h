// A progress bar on standard error, only where a person is looking: silent unless the stream is a terminal.
#ifndef INTSAM_APPS_COMMON_PROGRESS_H_
#define INTSAM_APPS_COMMON_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace intsam::internal {

// Progress bar("calibrating", images, !flags.no_progress); for ...: bar.Update(done). The line is erased at the end.
class Progress {
 public:
  Progress(std::string label, uint64_t total, bool enabled, std::FILE* stream = stderr);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(uint64_t done);  // redraws at most ten times a second, and always at the total

 private:
  std::string label_;
  uint64_t total_;
  std::FILE* stream_;  // null: silent
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PROGRESS_H_
