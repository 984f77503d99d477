// Who may write files now: a few of the workers at a time, or, when the process is told to stop, nobody.
#ifndef INTSAM_APPS_BATCH_WRITE_PERMITS_H_
#define INTSAM_APPS_BATCH_WRITE_PERMITS_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "files/interrupt.h"

namespace intsam::internal {

// A signal handler that clears unfinished files away (files/interrupt.h) must not run while another thread makes them.
// So signals wait, in all threads that are started while this lives, until Poll finds that nobody writes.
class WritePermits {
 public:
  WritePermits() { block_.emplace(); }

  class Permit {
   public:
    explicit Permit(WritePermits& permits) : permits_(&permits) {}
    Permit(Permit&& other) noexcept : permits_(std::exchange(other.permits_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (permits_ != nullptr) permits_->Return();
    }

   private:
    WritePermits* permits_;
  };

  // Waits for one.
  Permit Take();

  // On the thread that made this, which must hold no permit: when a signal waits, gives out no more permits, waits for
  // those that are out, and lets the signal do its work, which usually ends the process.
  void Poll();

 private:
  void Return();

  static constexpr int kMost = 8;  // half of the outputs that may be unfinished at a time (files/temporary.h)
  std::mutex mutex_;
  std::condition_variable returned_;
  int out_ = 0;
  bool closed_ = false;
  std::optional<InterruptBlock> block_;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_WRITE_PERMITS_H_
