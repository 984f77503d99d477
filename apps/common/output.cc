#include "apps/common/output.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "apps/common/escape.h"
#include "apps/common/progress.h"

namespace intsam::internal {
namespace {

std::atomic<int> first_error{0};  // errno of the first failing write to standard output

void KeepError() {
  int none = 0;
  first_error.compare_exchange_strong(none, errno != 0 ? errno : EIO);
}

[[gnu::format(printf, 1, 0)]] std::string Formatted(const char* format, std::va_list args) {
  std::va_list again;
  va_copy(again, args);
  std::string text(static_cast<size_t>(std::max(std::vsnprintf(nullptr, 0, format, args), 0)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

}  // namespace

void Say(const CommonFlags& flags, const char* format, ...) {
  if (flags.quiet) return;
  std::va_list args;
  va_start(args, format);
  const std::string text = Formatted(format, args);
  va_end(args);
  PrintError(EscapeControls(text) + "\n");
}

void PrintError(std::string_view line) {
  const ProgressPause pause;
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

void Out(std::string_view data) {
  const ProgressPause pause;
  errno = 0;
  if (std::fwrite(data.data(), 1, data.size(), stdout) != data.size()) KeepError();
}

void OutF(const char* format, ...) {
  std::va_list args;
  va_start(args, format);
  const std::string text = Formatted(format, args);
  va_end(args);
  Out(text);
}

Status FlushOut() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) KeepError();
  const int error = first_error.load();
  return error == 0 ? Status() : Status(Code::kIo, std::string("standard output: ") + std::strerror(error));
}

std::string DumpJson(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace intsam::internal
