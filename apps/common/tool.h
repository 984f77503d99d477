// The frame of a command-line tool: one line per error, exit codes from Status, nothing escapes main.
//
//   Status Run(int argc, char** argv);
//   int main(int argc, char** argv) { return intsam::internal::RunTool("intsam-segment", argc, argv, Run); }
#ifndef INTSAM_APPS_COMMON_TOOL_H_
#define INTSAM_APPS_COMMON_TOOL_H_

#include "runtime/base/status.h"

namespace intsam::internal {

// Prints "tool: message" as one line on stderr and returns the exit code. With `json_errors` the line is an object of
// tool, code, kind and message. Prints nothing for kOk, nor for an error without a message (a difference that the tool
// has already described on stdout). Never throws: without memory for the line, it prints the code's name.
int Report(const char* tool, const Status& status, bool json_errors) noexcept;

// Runs `body` and reports its Status. --json-errors among the arguments is honoured even when they cannot be parsed.
// std::bad_alloc becomes exit code 6, any other exception 70, standard output that could not be written 3, and SIGINT,
// SIGTERM and SIGHUP 130 (files/interrupt.h).
int RunTool(const char* tool, int argc, char** argv, Status (*body)(int argc, char** argv)) noexcept;

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_TOOL_H_
