// Diagnostics and the outermost frame of the tools.
#include "apps/common/tool.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>

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

Status FlushOutput() {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::cout.good() && !std::ferror(stdout)) return Status();
  return Status(Code::kIo, std::string("standard output: ") + std::strerror(errno == 0 ? EIO : errno));
}

}  // namespace

std::string EscapeControls(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (c == '\r') {
      escaped += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      escaped += hex;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

int Report(const char* tool, const Status& status, bool json_errors) {
  const int code = static_cast<int>(status.code());
  if (status.ok() || status.message().empty()) return code;
  std::string line;
  if (json_errors) {
    const nlohmann::ordered_json object = {
        {"tool", tool}, {"code", code}, {"kind", KindOf(status.code())}, {"message", status.message()}};
    line = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  } else {
    line = std::string(tool) + ": " + EscapeControls(status.message());
  }
  line += '\n';
  std::fflush(stderr);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  return code;
}

int RunTool(const char* tool, int argc, char** argv, Status (*body)(int argc, char** argv)) {
  bool json_errors = false;
  for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i)
    json_errors |= std::strcmp(argv[i], "--json-errors") == 0;
  Status status;
  try {
    status = body(argc, argv);
    if (status.ok()) status = FlushOutput();
  } catch (const std::bad_alloc&) {
    status = Status(Code::kResource, "out of memory");
  } catch (const std::exception& error) {
    status = Status(Code::kInternal, std::string("internal error, please report: ") + error.what());
  } catch (...) {
    status = Status(Code::kInternal, "internal error, please report: unknown exception");
  }
  return Report(tool, status, json_errors);
}

}  // namespace intsam::internal
