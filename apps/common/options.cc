// Command lines of the tools.
#include "apps/common/options.h"
#include "apps/common/tiers.h"

#include <charconv>
#include <cstdio>

namespace intsam::internal {

void AddCommonOptions(cxxopts::Options& options) {
  options.add_options("Common")("h,help", "Print this help and exit")("version",
                                                                      "Print version, commit and compiler and exit")(
      "t,threads", "Threads, 0 for as many as the machine has", cxxopts::value<std::string>()->default_value("0"), "N")(
      "q,quiet", "Print no words on standard error but errors")("json", "Print results as JSON on standard output")(
      "json-errors", "Print errors as JSON on standard error")("no-progress", "No progress bar, even on a terminal");
}

Result<cxxopts::ParseResult> ParseOptions(cxxopts::Options& options, int argc, char** argv) {
  try {
    cxxopts::ParseResult parsed = options.parse(argc, argv);
    if (!parsed.unmatched().empty()) {
      return Status(Code::kUsage, "unexpected argument '" + parsed.unmatched().front() + "' (see --help)");
    }
    return parsed;
  } catch (const cxxopts::exceptions::exception& error) {
    return Status(Code::kUsage, std::string(error.what()) + " (see --help)");
  }
}

Result<CommonFlags> CommonFlagsOf(const cxxopts::ParseResult& parsed) {
  CommonFlags flags;
  flags.help = parsed.count("help") > 0;
  flags.version = parsed.count("version") > 0;
  flags.quiet = parsed.count("quiet") > 0;
  flags.json = parsed.count("json") > 0;
  flags.json_errors = parsed.count("json-errors") > 0;
  flags.progress = parsed.count("no-progress") == 0 && !flags.quiet;
  INTSAM_ASSIGN(const int64_t threads, ParseInteger("--threads", parsed["threads"].as<std::string>(), 0, kMaxThreads));
  flags.threads = static_cast<int>(threads);
  return flags;
}

Result<int64_t> ParseInteger(const std::string& option, const std::string& text, int64_t lo, int64_t hi) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::invalid_argument || stop != end) {
    return Status(Code::kUsage, option + ": '" + text + "' is not an integer");
  }
  if (error == std::errc::result_out_of_range || value < lo || value > hi) {
    return Status(Code::kUsage, option + ": " + text + " is outside " + std::to_string(lo) + ".." + std::to_string(hi));
  }
  return value;
}

Status RunWithOptions(const char* tool, cxxopts::Options options, int argc, char** argv,
                      Status (*work)(const cxxopts::ParseResult& parsed, const CommonFlags& flags)) {
  INTSAM_ASSIGN(const cxxopts::ParseResult parsed, ParseOptions(options, argc, argv));
  INTSAM_ASSIGN(const CommonFlags flags, CommonFlagsOf(parsed));
  if (!flags.help && !flags.version) return work(parsed, flags);
  std::printf("%s", flags.help ? options.help().c_str() : (VersionLine(tool, BuiltTiers()) + "\n").c_str());
  return Status();
}

std::string VersionLine(const std::string& tool, const std::string& tiers) {
  return tool + " " INTSAM_VERSION " (commit " INTSAM_COMMIT ", compiler " __VERSION__ ", tiers " + tiers + ")";
}

}  // namespace intsam::internal
