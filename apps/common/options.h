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
  int threads = 0;           // 0: as many as the machine has
};

// Adds -h/--help, --version, -t/--threads, -q/--quiet, --json, --json-errors and --no-progress.
void AddCommonOptions(cxxopts::Options& options);

// kUsage with one sentence for unknown options, missing or extra arguments and a bad --threads.
Result<cxxopts::ParseResult> ParseOptions(cxxopts::Options& options, int argc, char** argv);
Result<CommonFlags> CommonFlagsOf(const cxxopts::ParseResult& parsed);

// `text` as a decimal integer of lo..hi; kUsage naming `option` otherwise.
Result<int64_t> ParseInteger(const std::string& option, const std::string& text, int64_t lo, int64_t hi);

// Parses, answers --help and --version on stdout, or else runs the tool's work.
Status RunWithOptions(const char* tool, cxxopts::Options options, int argc, char** argv,
                      Status (*work)(const cxxopts::ParseResult& parsed, const CommonFlags& flags));

// "intsam-bench 0.1.0 (commit ..., g++ ..., tiers ...)".
std::string VersionLine(const std::string& tool, const std::string& tiers);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_OPTIONS_H_
