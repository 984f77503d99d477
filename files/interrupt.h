// Being told to stop, for command-line tools: what was begun is cleared away first.
//
// SIGINT, SIGTERM and SIGHUP end the process with exit code 130 and a line on stderr. SIGQUIT, SIGPIPE, SIGALRM and
// SIGXCPU end it as they do without this file, so that a shell or a batch system sees which it was. SIGXFSZ is ignored:
// a write beyond a file size limit then fails with EFBIG, like any other failing write. A signal that was ignored when
// the process began stays ignored (nohup, background jobs of a shell).
#ifndef INTSAM_FILES_INTERRUPT_H_
#define INTSAM_FILES_INTERRUPT_H_

#include <csignal>
#include <string_view>

#include "runtime/base/status.h"

namespace intsam::internal {

// `action` will run before a signal ends the process, in the signal handler: it may only call what POSIX lists as
// async-signal-safe. For ever, and once however often it is added; there is room for four. Installs the handlers.
void AtInterrupt(void (*action)());

// The line to be written to stderr when interrupted, newline included; cut at 511 bytes. None before the first call.
void SetInterruptMessage(std::string_view line);

// Ends the process at once, as an interrupt does: the actions, `line` on stderr, `code`. For where nothing can be
// thrown any more. Allocates nothing.
[[noreturn]] void EndAtOnce(Code code, std::string_view line);

// While it lives, none of these signals is handled by this thread, nor by threads that it starts.
class InterruptBlock {
 public:
  InterruptBlock();
  ~InterruptBlock();
  InterruptBlock(const InterruptBlock&) = delete;
  InterruptBlock& operator=(const InterruptBlock&) = delete;

 private:
  sigset_t before_;
};

}  // namespace intsam::internal

#endif  // INTSAM_FILES_INTERRUPT_H_
