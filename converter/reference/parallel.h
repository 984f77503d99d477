// Loops over independent items on the OpenMP threads that oneDNN uses too: one pool, so the two never compete for
// cores. Inside a loop body oneDNN runs on the calling thread alone.
#ifndef INTSAM_CONVERTER_REFERENCE_PARALLEL_H_
#define INTSAM_CONVERTER_REFERENCE_PARALLEL_H_

#include <omp.h>

#include <algorithm>
#include <cstddef>

namespace intsam::internal::fp32 {

// Number of threads to use for a request (<= 0: all cores). The thread sanitizer does not see the barriers inside
// libgomp and would report every loop, so under it there is one thread.
inline int ReferenceThreads(int requested) {
#if defined(__SANITIZE_THREAD__)
  (void)requested;
  return 1;
#else
  return requested > 0 ? requested : std::max(1, omp_get_num_procs());
#endif
}

// Sets the caller's number of OpenMP threads, which oneDNN reads, while in scope.
class ThreadScope {
 public:
  explicit ThreadScope(int threads) : saved_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~ThreadScope() { omp_set_num_threads(saved_); }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int saved_;
};

// Below this many floats a loop is over before the other threads have woken up.
inline constexpr size_t kMinimumParallelWork = 16384;

// body(item, thread) for item in 0..items-1, thread in 0..threads-1; items are handed out one by one. `work` is the
// number of floats that all items together compute.
template <class Body>
void ParallelItems(int threads, size_t items, size_t work, const Body& body) {
  if (threads <= 1 || items <= 1 || work < kMinimumParallelWork) {
    for (size_t i = 0; i < items; ++i) body(i, 0);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (size_t i = 0; i < items; ++i) body(i, omp_get_thread_num());
}

// body(begin, end) over row ranges that make up 0..rows-1, each row of `channels` floats.
template <class Body>
void ParallelRows(int threads, size_t rows, size_t channels, const Body& body) {
  const size_t parts = std::min<size_t>(static_cast<size_t>(threads), rows);
  ParallelItems(threads, parts, rows * channels,
                [&](size_t part, int) { body(rows * part / parts, rows * (part + 1) / parts); });
}

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_REFERENCE_PARALLEL_H_
