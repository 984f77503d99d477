#include "apps/batch/write_permits.h"

#include <csignal>

namespace intsam::internal {
namespace {

bool SignalWaits() {
  sigset_t waiting;
  sigemptyset(&waiting);
  if (sigpending(&waiting) != 0) return false;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGXCPU}) {
    if (sigismember(&waiting, number) == 1) return true;
  }
  return false;
}

}  // namespace

WritePermits::Permit WritePermits::Take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !closed_ && out_ < kMost; });
  ++out_;
  return Permit(*this);
}

void WritePermits::Return() {
  {
    const std::lock_guard lock(mutex_);
    --out_;
  }
  returned_.notify_all();
}

void WritePermits::Poll() {
  if (!SignalWaits()) return;
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    returned_.wait(lock, [this] { return out_ == 0; });
  }
  block_.reset();  // the handlers run here
  block_.emplace();
  {
    const std::lock_guard lock(mutex_);
    closed_ = false;
  }
  returned_.notify_all();
}

}  // namespace intsam::internal
