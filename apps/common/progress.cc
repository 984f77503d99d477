// The progress bar of the tools: when it is drawn, and how it gets out of the way.
#include "apps/common/progress.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "files/interrupt.h"

namespace intsam::internal {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr std::string_view kErase = "\r\x1b[K";
constexpr std::chrono::milliseconds kBetweenDraws{100};
constexpr seconds kBeforeEstimates{2};

void WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(descriptor, text.data(), text.size());
    if (n <= 0) return;  // a bar is worth no error
    text.remove_prefix(static_cast<size_t>(n));
  }
}

std::mutex screen;  // held by who draws, erases or prints

// The state of the screen, for the signal handler: it must not erase a line while another thread writes one.
std::atomic<int> drawn_on{-1};  // the descriptor of the terminal where a line stands; -1: none
std::atomic<bool> writing{false}, ending{false};

extern "C" void EraseLine() {
  ending = true;
  for (int i = 0; i < 100 && writing; ++i) poll(nullptr, 0, 1);  // a stopped terminal would keep the other thread
  if (const int descriptor = drawn_on; descriptor >= 0) WriteAll(descriptor, kErase);
}

void Draw(int descriptor, std::string_view line) {
  const InterruptBlock block;  // the handler waits for this thread, so it must not run on it
  writing = true;
  if (!ending) {
    drawn_on = descriptor;
    WriteAll(descriptor, line);
  }
  writing = false;
}

void EraseDrawn() {
  const InterruptBlock block;
  writing = true;
  if (const int descriptor = drawn_on; descriptor >= 0 && !ending) {
    WriteAll(descriptor, kErase);
    drawn_on = -1;
  }
  writing = false;
}

size_t Columns(int descriptor) {
  winsize size = {};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// A job in the background must not write over what the shell and the foreground show.
bool IsForeground(int descriptor) {
  const pid_t group = tcgetpgrp(descriptor);
  return group < 0 || group == getpgrp();
}

}  // namespace

class Progress::Bar {
 public:
  Bar(std::string label, int descriptor) : descriptor_(descriptor) { Begin(std::move(label)); }

  ~Bar() {
    {
      const std::lock_guard lock(screen);
      Hide();
      stopping_ = true;
    }
    wake_.notify_all();
    if (ticker_.joinable()) ticker_.join();
  }

  void Begin(std::string label) {
    state_ = {};
    state_.label = std::move(label);
    start_ = updated_ = Clock::now();
  }

  void Restart(std::string label) {
    const std::lock_guard lock(screen);
    Begin(std::move(label));
    Show();
  }

  void Update(uint64_t done, uint64_t total, std::string_view what) {
    const std::lock_guard lock(screen);
    const auto now = Clock::now();
    state_.done = done, state_.total = total;
    state_.what = what;
    updated_ = now;
    const auto elapsed = now - start_;
    const bool sensible = done > 0 && done < total && elapsed >= kBeforeEstimates;
    left_ = kNoEstimate;
    if (sensible) left_ = elapsed * (static_cast<double>(total - done) / static_cast<double>(done));
    if (shown_ && done < total && now - last_drawn_ < kBetweenDraws) return;
    Show();
  }

  void Clear() {
    const std::lock_guard lock(screen);
    Hide();
  }

 private:
  using Seconds = std::chrono::duration<double>;
  static constexpr Seconds kNoEstimate{-1};

  void Hide() {
    if (shown_) EraseDrawn();
    shown_ = false;
  }

  void Show() {
    shown_ = true;
    DrawLine();
    if (ticker_.joinable()) return;
    const InterruptBlock block;  // inherited: signals go to other threads
    try {
      ticker_ = std::thread([this] { Tick(); });
    } catch (const std::system_error&) {
      // Without a thread the clock stands between updates.
    }
  }

  void DrawLine() {
    last_drawn_ = Clock::now();
    if (!IsForeground(descriptor_)) return;
    state_.elapsed = std::chrono::duration_cast<seconds>(last_drawn_ - start_);
    const Seconds left = left_ - (last_drawn_ - updated_);
    state_.left = seconds(left.count() < 0 ? -1 : static_cast<int64_t>(left.count()));
    // The last column stays free: terminals disagree about where the cursor is after it.
    const std::string line = ProgressLine(state_, Columns(descriptor_) - 1);
    Draw(descriptor_, "\r" + line + "\x1b[K");
  }

  void Tick() {
    std::unique_lock lock(screen);
    while (!stopping_) {
      wake_.wait_for(lock, seconds(1));
      if (!stopping_ && shown_ && Clock::now() - last_drawn_ >= kBetweenDraws) DrawLine();
    }
  }

  const int descriptor_;
  ProgressState state_;
  Clock::time_point start_, updated_, last_drawn_;
  Seconds left_ = kNoEstimate;  // at updated_
  bool shown_ = false, stopping_ = false;
  std::condition_variable wake_;
  std::thread ticker_;
};

bool CanDraw(int descriptor) {
#ifdef __EMSCRIPTEN__
  (void)descriptor;
  return false;  // its isatty() says yes to pipes and files
#else
  const char* terminal = std::getenv("TERM");
  return terminal != nullptr && *terminal != '\0' && std::string_view(terminal) != "dumb" && isatty(descriptor) == 1;
#endif
}

Progress::Progress(std::string label, bool enabled, int descriptor) {
  if (!enabled || !CanDraw(descriptor)) return;
  AtInterrupt(EraseLine);
  bar_ = std::make_unique<Bar>(std::move(label), descriptor);
}

Progress::~Progress() = default;

void Progress::Update(uint64_t done, uint64_t total, std::string_view what) {
  if (bar_ != nullptr) bar_->Update(done, total, what);
}

void Progress::Restart(std::string label) {
  if (bar_ != nullptr) bar_->Restart(std::move(label));
}

void Progress::Clear() {
  if (bar_ != nullptr) bar_->Clear();
}

ProgressPause::ProgressPause() {
  screen.lock();
  EraseDrawn();
}

ProgressPause::~ProgressPause() { screen.unlock(); }

}  // namespace intsam::internal
