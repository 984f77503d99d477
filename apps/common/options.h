// What all tools share on the command line: the common flags, parsing without exceptions, checked integers, --version.
#ifndef INTSAM_APPS_COMMON_OPTIONS_H_
#define INTSAM_APPS_COMMON_OPTIONS_H_

#include <cstdint>
#include <cxxopts.hpp>
#include <string>
#include <vector>

#include "apps/common/limits.h"
#include "runtime/base/status.h"

namespace intsam::internal {

struct CommonFlags {
  bool help = false;
  bool version = false;
  bool quiet = false;        // no words on stderr but errors
  bool json = false;         // data on stdout as JSON
  bool json_errors = false;  // errors on stderr as JSON
  bool progress = true;      // still only on a terminal
  int threads = 0;           // --threads, else INTSAM_THREADS; 0: as many as the process may use
};

// What --help says besides the options.
struct ToolHelp {
  const char* tool;       // "intsam-segment"
  const char* summary;    // what it does, in a sentence or two
  const char* arguments;  // what follows the options: "MODEL IMAGE"
  const char* examples;   // command lines, one a line
};

// Adds -h/--help, --version, -t/--threads, -q/--quiet, --json, --json-errors and --no-progress.
void AddCommonOptions(cxxopts::Options& options);

// Adds --isa, for the tools that compute.
void AddTierOption(cxxopts::Options& options);

// Adds --sandbox, for the tools that confine themselves (apps/common/sandbox.h).
void AddSandboxOption(cxxopts::Options& options);

// kUsage with one sentence for unknown options, missing or extra arguments and a bad --threads.
Result<cxxopts::ParseResult> ParseOptions(cxxopts::Options& options, int argc, char** argv);
Result<CommonFlags> CommonFlagsOf(const cxxopts::ParseResult& parsed);

// `text` as a decimal integer of lo..hi; kUsage naming `option` otherwise.
Result<int64_t> ParseInteger(const std::string& option, const std::string& text, int64_t lo, int64_t hi);

// An option with text as its value: as given, else its default, else empty.
std::string TextOption(const cxxopts::ParseResult& parsed, const std::string& name);

// The name of a file that an option gives, "" only where the option is not given; kUsage for an empty one.
Status TakeFile(const cxxopts::ParseResult& parsed, const std::string& option, std::string& path);

// kUsage with `problem` ("MODEL and IMAGE are needed") and the line of usage.
Status UsageError(const ToolHelp& help, const std::string& problem);

// Parses, answers --help and --version on stdout, or else runs the tool's work.
Status RunWithOptions(const ToolHelp& help, cxxopts::Options options, int argc, char** argv,
                      Status (*work)(const cxxopts::ParseResult& parsed, const CommonFlags& flags));

// The whole text of --help: usage, options, examples, exit codes, environment.
std::string HelpText(const ToolHelp& help, cxxopts::Options& options);

// "intsam-bench 0.1.0 (commit ..., g++ ..., tiers ...)".
std::string VersionLine(const std::string& tool, const std::string& tiers);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_OPTIONS_H_
