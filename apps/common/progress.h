// A progress bar on standard error, only where a person is looking: silent unless that is a terminal in the foreground
// that can erase a line (TERM neither unset nor "dumb"). One bar is shown at a time.
#ifndef INTSAM_APPS_COMMON_PROGRESS_H_
#define INTSAM_APPS_COMMON_PROGRESS_H_

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace intsam::internal {

// Whether a bar can be drawn on this terminal.
bool CanDraw(int descriptor);

//   Progress bar("calibrating", flags.progress);
//   for (...) bar.Update(done, photos.size(), name);
//
// Its clock ticks while no update comes, in a thread that exists only while the bar is shown. Words and results printed
// through apps/common/output.h clear the line first; destruction erases it, and so does a signal that ends the process.
class Progress {
 public:
  explicit Progress(std::string label, bool enabled, int descriptor = STDERR_FILENO);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Steps done, and what is being worked on (a photo, a layer; shortened to the width of the terminal, and need not be
  // escaped). total 0: unknown, only the clock is shown. Drawn at most ten times a second, and always at the end. From
  // any thread.
  void Update(uint64_t done, uint64_t total, std::string_view what = {});

  // Another phase of the work: clock and estimate begin anew.
  void Restart(std::string label);

  // Erases the line until the next Update or Restart.
  void Clear();

 private:
  class Bar;
  std::unique_ptr<Bar> bar_;  // null: silent
};

// While it lives, no bar is drawn, and the line where one was is empty: for those who print. The bar comes back with
// its next update or tick.
class ProgressPause {
 public:
  ProgressPause();
  ~ProgressPause();
  ProgressPause(const ProgressPause&) = delete;
  ProgressPause& operator=(const ProgressPause&) = delete;
};

// The text of the line, at most `columns` wide and without controls: "label [####....]  42%  12s, 17s left  what".
// `left` below 0: no estimate.
struct ProgressState {
  std::string label, what;
  uint64_t done = 0, total = 0;
  std::chrono::seconds elapsed{0}, left{-1};
};
std::string ProgressLine(const ProgressState& state, size_t columns);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PROGRESS_H_
