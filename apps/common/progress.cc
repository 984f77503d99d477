// The progress bar of the tools.
#include "apps/common/progress.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace intsam::internal {
namespace {

bool IsTerminal(std::FILE* stream) {
#ifdef __EMSCRIPTEN__
  (void)stream;
  return false;  // its isatty() says yes to pipes and files
#else
  return isatty(fileno(stream)) == 1;
#endif
}

}  // namespace

Progress::Progress(std::string label, uint64_t total, bool enabled, std::FILE* stream)
    : label_(std::move(label)),
      total_(std::max<uint64_t>(total, 1)),
      stream_(enabled && IsTerminal(stream) ? stream : nullptr),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stream_);
  std::fflush(stream_);
}

void Progress::Update(uint64_t done) {
  if (stream_ == nullptr) return;
  done = std::min(done, total_);
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && done < total_ && now - last_ < std::chrono::milliseconds(100)) return;
  constexpr int kWidth = 30;
  const int filled = static_cast<int>(kWidth * done / total_);
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start_).count();
  std::fprintf(stream_, "\r%s [%s] %3d%% %llds\x1b[K", label_.c_str(), bar.c_str(),
               static_cast<int>(100 * done / total_), static_cast<long long>(seconds));
  std::fflush(stream_);
  drawn_ = true;
  last_ = now;
}

}  // namespace intsam::internal
