// Times of phases, for reports.
#ifndef INTSAM_APPS_COMMON_STOPWATCH_H_
#define INTSAM_APPS_COMMON_STOPWATCH_H_

#include <chrono>

namespace intsam::internal {

class Stopwatch {
 public:
  // Milliseconds since the last lap.
  double LapMs() {
    const auto now = std::chrono::steady_clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - start_).count();
    start_ = now;
    return ms;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_STOPWATCH_H_
