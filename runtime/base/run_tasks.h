// Tasks that may throw, on threads that must not: a pool's workers have nobody above them to catch, and a caller's
// executor may be written in C.
#ifndef INTSAM_RUNTIME_BASE_RUN_TASKS_H_
#define INTSAM_RUNTIME_BASE_RUN_TASKS_H_

#include <atomic>
#include <new>

#include "runtime/base/status.h"
#include "runtime/base/thread_pool.h"

namespace intsam::internal {

// parallel.For for tasks that allocate: kResource where one of them found no memory.
template <class Task>
Status RunTasks(Parallel& parallel, int count, const Task& task) {
  std::atomic<bool> failed{false};
  parallel.For(count, [&](int index, int worker) {
    try {
      task(index, worker);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
  });
  return failed ? Status(Code::kResource, "out of memory") : Status();
}

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_RUN_TASKS_H_
