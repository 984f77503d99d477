// What the tools print: results on standard output, words on standard error. Both first clear a progress bar that is
// shown, so that nothing is ever glued to it. From any thread.
#ifndef INTSAM_APPS_COMMON_OUTPUT_H_
#define INTSAM_APPS_COMMON_OUTPUT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "apps/common/options.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// One line of words for a person: nothing with -q. What is formatted need not be escaped before; a newline is added.
[[gnu::format(printf, 2, 3)]] void Say(const CommonFlags& flags, const char* format, ...);

// The same, whatever the flags: for errors. `line` is printed as it is, with its newline.
void PrintError(std::string_view line);

// Results, as they are: whole lines, or the bytes of a file. Names in them go through EscapeControls or DumpJson. A
// failure to write is kept for FlushOut.
void Out(std::string_view data);
[[gnu::format(printf, 1, 2)]] void OutF(const char* format, ...);

// kIo with the reason for which anything since the start of the process could not be written to standard output.
Status FlushOut();

// `json` as ASCII with a newline at the end. Strings may be any bytes, such as the names of files: what is not UTF-8
// becomes U+FFFD. `indent` -1: on one line.
std::string DumpJson(const nlohmann::ordered_json& json, int indent = 2);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_OUTPUT_H_
