// How far long work is, for those who show it.
#ifndef INTSAM_CONVERTER_PROGRESS_H_
#define INTSAM_CONVERTER_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace intsam::internal {

// Called with the steps done of `total`, and what is worked on ("photo 3 of 32", "image_encoder.blocks.2.attn.qkv").
// total 0: nobody knows how many. Never twice at the same time. May be empty where a function takes one.
using StepProgress = std::function<void(uint64_t done, uint64_t total, const std::string& what)>;

// The same for work in several stages, by the name of the stage; each counts from 0.
using StageProgress = std::function<void(const char* stage, uint64_t done, uint64_t total, const std::string& what)>;

// One stage of several. `progress` must outlive the result.
inline StepProgress Stage(const StageProgress& progress, const char* name) {
  if (!progress) return {};
  return
      [&progress, name](uint64_t done, uint64_t total, const std::string& what) { progress(name, done, total, what); };
}

// Counts steps that threads do in any order.
class StepCounter {
 public:
  StepCounter(StepProgress progress, uint64_t total) : progress_(std::move(progress)), total_(total) {}
  void Done(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++done_;
    if (progress_) progress_(done_, total_, what);
  }

 private:
  const StepProgress progress_;
  const uint64_t total_;
  uint64_t done_ = 0;
  std::mutex mutex_;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_PROGRESS_H_
