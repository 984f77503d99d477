// Diagnostics and the outermost frame of the tools.
#include "apps/common/tool.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>

#include "apps/common/escape.h"
#include "apps/common/output.h"
#include "apps/common/progress.h"
#include "files/interrupt.h"

namespace intsam::internal {
namespace {

const char* KindOf(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kDifference: return "difference";
    case Code::kUsage: return "usage";
    case Code::kIo: return "io";
    case Code::kDamaged: return "damaged";
    case Code::kUnsupported: return "unsupported";
    case Code::kResource: return "resource";
    case Code::kInternal: return "internal";
    case Code::kCancelled: return "cancelled";
  }
  return "internal";
}

std::string ReportLine(const char* tool, const Status& status, bool json_errors) {
  if (!json_errors) return std::string(tool) + ": " + EscapeControls(status.message()) + "\n";
  return DumpJson({{"tool", tool},
                   {"code", static_cast<int>(status.code())},
                   {"kind", KindOf(status.code())},
                   {"message", status.message()}},
                  -1);
}

std::string out_of_memory;  // the whole line
std::terminate_handler terminate_before = nullptr;

// Memory may run out where nothing can be thrown: in a destructor (nlohmann-json's allocate), in another's thread.
void EndWithoutMemory() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::bad_alloc&) {
    EndAtOnce(Code::kResource, out_of_memory);
  } catch (...) {  // a bug
  }
  terminate_before();
}

void PrepareForEnds(const char* tool, bool json_errors) {
  // A terminal shows ^C where the cursor is: the line begins anew.
  const std::string begin = CanDraw(STDERR_FILENO) ? "\r\x1b[K" : "";
  SetInterruptMessage(begin + ReportLine(tool, Status(Code::kCancelled, "interrupted"), json_errors));
  out_of_memory = begin + ReportLine(tool, Status(Code::kResource, "out of memory"), json_errors);
  terminate_before = std::set_terminate(EndWithoutMemory);
}

Status RunCatching(int argc, char** argv, Status (*body)(int argc, char** argv)) {
  try {
    const Status status = body(argc, argv);
    return status.ok() ? FlushOut() : status;
  } catch (const std::bad_alloc&) {
    return Status(Code::kResource, "out of memory");
  } catch (const std::system_error& error) {
    // Threads whose stacks find no room, or of which the user may have no more.
    const bool scarce =
        error.code() == std::errc::resource_unavailable_try_again || error.code() == std::errc::not_enough_memory;
    return scarce ? Status(Code::kResource, std::string("cannot start a thread: ") + error.what())
                  : Status(Code::kInternal, std::string("internal error, please report: ") + error.what());
  } catch (const std::exception& error) {
    return Status(Code::kInternal, std::string("internal error, please report: ") + error.what());
  } catch (...) {
    return Status(Code::kInternal, "internal error, please report: unknown exception");
  }
}

}  // namespace

int Report(const char* tool, const Status& status, bool json_errors) noexcept {
  const int code = static_cast<int>(status.code());
  if (status.ok() || status.message().empty()) return code;
  try {
    PrintError(ReportLine(tool, status, json_errors));
  } catch (...) {
    std::fprintf(stderr, "%s: %s\n", tool, KindOf(status.code()));
  }
  return code;
}

int RunTool(const char* tool, int argc, char** argv, Status (*body)(int argc, char** argv)) noexcept {
  bool json_errors = false;
  for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i)
    json_errors |= std::strcmp(argv[i], "--json-errors") == 0;
  try {
    PrepareForEnds(tool, json_errors);
    return Report(tool, RunCatching(argc, argv, body), json_errors);
  } catch (...) {  // no memory even for a sentence
    std::fprintf(stderr, "%s: out of memory\n", tool);
    return static_cast<int>(Code::kResource);
  }
}

}  // namespace intsam::internal
