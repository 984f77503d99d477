// The text of the progress bar.
#include <algorithm>
#include <cstdio>

#include "apps/common/escape.h"
#include "apps/common/progress.h"

namespace intsam::internal {
namespace {

// Columns on a terminal, at most: beyond ASCII, characters may be wide.
size_t WidthAt(std::string_view text, size_t at) { return CharacterAt(text, at).code_point < 0x80 ? 1 : 2; }

size_t Width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size(); at += CharacterAt(text, at).bytes) width += WidthAt(text, at);
  return width;
}

// Names tell themselves apart at their ends.
std::string Shorten(const std::string& text, size_t columns) {
  constexpr std::string_view kDots = "...";
  size_t width = Width(text), at = 0;
  if (width <= columns) return text;
  if (columns <= kDots.size()) return std::string(columns, '.');
  for (; width > columns - kDots.size(); at += CharacterAt(text, at).bytes) width -= WidthAt(text, at);
  return std::string(kDots) + text.substr(at);
}

// 7s, 3m05s, 2h07m.
std::string Duration(std::chrono::seconds duration) {
  const long long s = duration.count();
  char text[48];
  if (s < 60) {
    std::snprintf(text, sizeof text, "%llds", s);
  } else if (s < 3600) {
    std::snprintf(text, sizeof text, "%lldm%02llds", s / 60, s % 60);
  } else {
    std::snprintf(text, sizeof text, "%lldh%02lldm", s / 3600, s / 60 % 60);
  }
  return text;
}

std::string Percent(uint64_t done, uint64_t total) {
  char text[16];
  // Rounded down, so that 100 % means that nothing is left; in doubles, as 100 * done may not fit.
  const int percent =
      done >= total ? 100
                    : std::min(99, static_cast<int>(100 * static_cast<double>(done) / static_cast<double>(total)));
  std::snprintf(text, sizeof text, " %3d%%", percent);
  return text;
}

}  // namespace

std::string ProgressLine(const ProgressState& state, size_t columns) {
  constexpr size_t kBar = 24, kLeastName = 8;
  std::string line = Shorten(EscapeControls(state.label), columns);
  std::string numbers;
  if (state.total > 0) numbers = Percent(state.done, state.total);
  numbers += "  " + Duration(state.elapsed);
  if (state.left.count() >= 0) numbers += ", " + Duration(state.left) + " left";
  const size_t width = Width(line);
  if (width + numbers.size() > columns) return line;
  if (state.total > 0 && width + numbers.size() + kBar + 3 <= columns) {
    const size_t filled = static_cast<size_t>(
        kBar * (static_cast<double>(std::min(state.done, state.total)) / static_cast<double>(state.total)));
    line += " [" + std::string(filled, '#') + std::string(kBar - filled, '.') + "]";
  }
  line += numbers;
  const size_t used = Width(line) + 2;
  if (!state.what.empty() && used + kLeastName <= columns) {
    line += "  " + Shorten(EscapeControls(state.what), columns - used);
  }
  return line;
}

}  // namespace intsam::internal
