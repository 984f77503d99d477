// Loops over independent items on the pool of a FloatSam. Its threads sleep between loops, so other work that shares
// the cores slows these loops down only by what it takes. How a loop is cut never depends on the number of threads, and
// so neither do results.
#ifndef INTSAM_CONVERTER_FP32_PARALLEL_H_
#define INTSAM_CONVERTER_FP32_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>

#include "runtime/base/cpu.h"
#include "runtime/base/thread_pool.h"
#include "runtime/format/limits.h"

namespace intsam::internal::fp32 {

// Number of threads to use for a request (<= 0: as many as this process may run at a time).
inline int ReferenceThreads(int requested) {
  return requested > 0 ? requested : std::min<int>(AvailableThreads(), limits::kThreads);
}

// Below this many floats a loop is over before the other threads have woken up.
inline constexpr size_t kMinimumParallelWork = 16384;

// body(item, worker) for item in 0..items-1, worker in 0..pool.workers()-1; items are handed out one by one. `work` is
// the number of floats that all items together compute. The first exception that leaves a body is thrown again here,
// when no body runs any more; items that have not begun by then are skipped. A body must not use the pool itself.
template <class Body>
void ParallelItems(Parallel& pool, size_t items, size_t work, const Body& body) {
  if (pool.workers() == 1 || items <= 1 || work < kMinimumParallelWork) {
    for (size_t i = 0; i < items; ++i) body(i, 0);
    return;
  }
  std::atomic<bool> failed = false;
  std::exception_ptr error;
  pool.For(static_cast<int>(items), [&](int item, int worker) {
    if (failed.load(std::memory_order_relaxed)) return;
    try {
      body(static_cast<size_t>(item), worker);
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

// body(begin, end) over row ranges that make up 0..rows-1, each row of `channels` floats. A range fits the second-level
// cache and is long enough to be worth handing out.
template <class Body>
void ParallelRows(Parallel& pool, size_t rows, size_t channels, const Body& body) {
  const size_t step = std::max<size_t>(1, kMinimumParallelWork / channels);
  ParallelItems(pool, (rows + step - 1) / step, rows * channels,
                [&](size_t part, int) { body(part * step, std::min(rows, (part + 1) * step)); });
}

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_PARALLEL_H_
