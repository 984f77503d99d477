// See interrupt.h. The handler reads nothing but atomics and a buffer that is complete before its length is set.
#include "files/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

namespace intsam::internal {
namespace {

constexpr int kActions = 4;
constexpr int kEnding[] = {SIGINT, SIGTERM, SIGHUP};            // exit code 130
constexpr int kFatal[] = {SIGQUIT, SIGPIPE, SIGALRM, SIGXCPU};  // what they always do

using Action = void (*)();
std::atomic<Action> actions[kActions];
char message[512];
std::atomic<size_t> message_size{0};
static_assert(ATOMIC_POINTER_LOCK_FREE != 0);  // 1, "maybe", on ARMv5: there Linux has a routine for it, without locks

void RunActions() {
  for (std::atomic<Action>& slot : actions) {
    if (const Action action = slot.load()) action();
  }
}

extern "C" void EndAfterActions(int) { EndAtOnce(Code::kCancelled, {message, message_size.load()}); }

// Its disposition was reset and the signal left unblocked when it was delivered, so raising it again ends the process.
extern "C" void RaiseAfterActions(int signal_number) {
  RunActions();
  raise(signal_number);
}

void Handle(int signal_number, void (*handler)(int), int flags) {
  struct sigaction current;
  if (sigaction(signal_number, nullptr, &current) != 0 || current.sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, nullptr);
}

void InstallHandlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (const int number : kEnding) Handle(number, EndAfterActions, 0);
    for (const int number : kFatal) Handle(number, RaiseAfterActions, static_cast<int>(SA_RESETHAND) | SA_NODEFER);
    Handle(SIGXFSZ, SIG_IGN, 0);
  });
}

}  // namespace

void AtInterrupt(void (*action)()) {
  for (std::atomic<Action>& slot : actions) {
    Action expected = nullptr;
    if (slot.compare_exchange_strong(expected, action) || expected == action) break;
  }
  InstallHandlers();
}

void SetInterruptMessage(std::string_view line) {
  const size_t size = std::min(line.size(), sizeof message - 1);
  message_size = 0;
  std::memcpy(message, line.data(), size);
  if (size < line.size()) message[size - 1] = '\n';
  message_size = size;
  InstallHandlers();
}

void EndAtOnce(Code code, std::string_view line) {
  RunActions();
  if (!line.empty() && write(STDERR_FILENO, line.data(), line.size()) < 0) {
  }  // nobody is left to be told
  _exit(static_cast<int>(code));
}

InterruptBlock::InterruptBlock() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kEnding) sigaddset(&set, number);
  for (const int number : kFatal) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}

InterruptBlock::~InterruptBlock() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace intsam::internal
