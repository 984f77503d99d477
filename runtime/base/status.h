// Errors are values with a sentence in them: every fallible call returns a Status or a Result<T>.
// The codes are the exit codes of the command-line tools and the statuses of the C API (intsam.h).
// No iostream, no dependency on the rest of intsam.
#ifndef INTSAM_RUNTIME_BASE_STATUS_H_
#define INTSAM_RUNTIME_BASE_STATUS_H_

#include <cstdarg>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace intsam::internal {

enum class Code : int {
  kOk = 0,
  kDifference = 1,   // a comparison or check found a difference
  kUsage = 2,        // a bad argument from the caller
  kIo = 3,           // cannot read or write; the message carries errno's text
  kDamaged = 4,      // input damaged or hostile: which, where, why
  kUnsupported = 5,  // input well formed but not supported (version, size, dtype, CPU)
  kResource = 6,     // out of memory or over a limit
  kInternal = 70,    // a bug in intsam
  kCancelled = 130,  // stopped by the caller
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // "prefix: message", for callers that know the file or field the message is about.
  Status WithPrefix(const std::string& prefix) const { return ok() ? *this : Status(code_, prefix + ": " + message_); }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

// printf-style construction: Error(Code::kDamaged, "tensor %s: ...", name).
[[gnu::format(printf, 2, 3)]] inline Status Error(Code code, const char* format, ...) {
  char text[1024];
  std::va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return Status(code, text);
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit by design

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  T& operator*() { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

#define INTSAM_TRY(expression)                                                                       \
  do {                                                                                               \
    if (::intsam::internal::Status intsam_status_ = (expression); !intsam_status_.ok()) return intsam_status_; \
  } while (0)

#define INTSAM_CONCAT_INNER_(a, b) a##b
#define INTSAM_CONCAT_(a, b) INTSAM_CONCAT_INNER_(a, b)
// INTSAM_ASSIGN(auto x, Compute()): declares x, or returns Compute's error.
#define INTSAM_ASSIGN(declaration, expression) \
  INTSAM_ASSIGN_INNER_(INTSAM_CONCAT_(intsam_result_, __LINE__), declaration, expression)
#define INTSAM_ASSIGN_INNER_(result, declaration, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return result.status();                   \
  declaration = std::move(result).value()

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_STATUS_H_
