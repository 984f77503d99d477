// Tasks that may throw, on threads that must not: a pool's workers have nobody above them to catch, and a caller's
// executor may be written in C.
#ifndef INTSAM_RUNTIME_BASE_RUN_TASKS_H_
#define INTSAM_RUNTIME_BASE_RUN_TASKS_H_

#include <atomic>
#include <new>

#include "runtime/base/thread_pool.h"

namespace intsam::internal {

// parallel.For for tasks that allocate. Where one of them finds no memory, throws std::bad_alloc on the calling thread
// after all have ended.
template <class Task>
void RunTasks(Parallel& parallel, int count, const Task& task) {
  std::atomic<bool> failed{false};
  parallel.For(count, [&](int index, int worker) {
    try {
      task(index, worker);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
  });
  if (failed) throw std::bad_alloc();
}

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_RUN_TASKS_H_
