#include "runtime/base/thread_pool.h"

namespace intsam::internal {

// Delegates, so that the destructor ends the threads that run when another cannot be made.
ThreadPool::ThreadPool(int workers) : ThreadPool() {
  for (int i = 1; i < workers; ++i) threads_.emplace_back([this, i] { Work(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Drain(Task task, int count, int worker) {
  for (int i = next_.fetch_add(1); i < count; i = next_.fetch_add(1)) task(i, worker);
}

void ThreadPool::For(int count, Task task) {
  if (threads_.empty() || count <= 1) {
    for (int i = 0; i < count; ++i) task(i, 0);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    task_ = &task, count_ = count, running_ = static_cast<int>(threads_.size());
    next_ = 0;
    ++round_;
  }
  start_.notify_all();
  Drain(task, count, 0);
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
}

void ThreadPool::Work(int worker) {
  uint64_t seen = 0;
  while (true) {
    const Task* task;
    int count;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      start_.wait(lock, [&] { return stop_ || round_ != seen; });
      if (stop_) return;
      seen = round_;
      task = task_, count = count_;
    }
    Drain(*task, count, worker);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (--running_ == 0) done_.notify_one();
    }
  }
}

}  // namespace intsam::internal
