// A small pool owned by one session: no global state, no work stealing. Tasks are numbered and independent, so results
// never depend on the number of threads or on which thread ran what.
#ifndef INTSAM_RUNTIME_BASE_THREAD_POOL_H_
#define INTSAM_RUNTIME_BASE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/base/function_ref.h"

namespace intsam::internal {

// Runs task(index, worker) for index 0..count-1; `worker` is below workers() and no two tasks run on one worker at a
// time.
class Parallel {
 public:
  using Task = FunctionRef<void(int index, int worker)>;
  virtual ~Parallel() = default;
  virtual int workers() const = 0;
  virtual void For(int count, Task task) = 0;  // returns when all are done
};

class ThreadPool : public Parallel {
 public:
  explicit ThreadPool(int workers);  // >= 1; the calling thread is worker 0
  ~ThreadPool() override;
  int workers() const override { return static_cast<int>(threads_.size()) + 1; }
  void For(int count, Task task) override;

 private:
  ThreadPool() = default;
  void Work(int worker);
  void Drain(Task task, int count, int worker);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const Task* task_ = nullptr;  // of the running round
  int count_ = 0;
  uint64_t round_ = 0;
  int running_ = 0;
  bool stop_ = false;
  std::atomic<int> next_{0};
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_THREAD_POOL_H_
