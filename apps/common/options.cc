// Command lines of the tools.
#include "apps/common/options.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "apps/common/output.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/sandbox.h"
#include "apps/common/tiers.h"

namespace intsam::internal {
namespace {

constexpr size_t kHelpColumns = 100;

constexpr const char* kFooter = R"(
Exit codes:
  0  done                               5  a file, or what it asks for, is not supported
  1  a comparison found a difference    6  out of memory, or over a limit (intsam-inspect --limits)
  2  wrong arguments                    70  internal error, please report
  3  cannot read or write               130  interrupted
  4  a file is damaged

Environment:
  INTSAM_ISA      kernel tier instead of the best that this CPU has (intsam-inspect --kernels)
  INTSAM_THREADS  threads, where --threads is 0 or not given
)";

std::string UsageLine(const ToolHelp& help) { return std::string(help.tool) + " [OPTION...] " + help.arguments; }

std::string Indented(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    text += "  " + std::string(lines.substr(0, end)) + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

// cxxopts leaves spaces at the ends of the lines that it breaks, and before the headings of groups.
std::string WithoutStraySpaces(const std::string& text) {
  std::string tidy;
  size_t line = 0;  // where it begins
  for (const char c : text) {
    if (c == '\n') tidy.erase(std::max(line, tidy.find_last_not_of(' ') + 1));
    if (tidy.size() == line + 1 && tidy[line] == ' ' && c != ' ') tidy.pop_back();
    tidy += c;
    if (c == '\n') line = tidy.size();
  }
  return tidy;
}

}  // namespace

void AddCommonOptions(cxxopts::Options& options) {
  auto add = options.add_options("Common");
  add("h,help", "print this help and exit");
  add("version", "print version, commit, compiler, kernel tiers, photo formats and sandbox and exit");
  add("t,threads", "threads, 0 for as many as the process may use", cxxopts::value<std::string>()->default_value("0"),
      "N");
  add("q,quiet", "no words on standard error but errors; results stay");
  add("json", "results as JSON on standard output");
  add("json-errors", "errors as JSON on standard error");
  add("no-progress", "no progress bar, even on a terminal");
}

void AddTierOption(cxxopts::Options& options) {
  options.add_options()("isa", "kernel tier; without, INTSAM_ISA or the best that this CPU has",
                        cxxopts::value<std::string>(), "TIER");
}

void AddSandboxOption(cxxopts::Options& options) {
  options.add_options()("sandbox", "first give up all rights but to these files (Linux; refused where it cannot)");
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
  // The library reads it for itself; the float reference of the converter does not.
  const char* environment = std::getenv("INTSAM_THREADS");
  if (threads == 0 && environment != nullptr && *environment != '\0' && !flags.help && !flags.version) {
    INTSAM_ASSIGN(const int64_t count, ParseInteger("INTSAM_THREADS", environment, 1, kMaxThreads));
    flags.threads = static_cast<int>(count);
  }
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

std::string TextOption(const cxxopts::ParseResult& parsed, const std::string& name) {
  const cxxopts::OptionValue& value = parsed[name];
  return value.count() != 0 || value.has_default() ? value.as<std::string>() : std::string();
}

Status TakeFile(const cxxopts::ParseResult& parsed, const std::string& option, std::string& path) {
  path = TextOption(parsed, option);
  if (parsed.count(option) == 0 || !path.empty()) return Status();
  return Error(Code::kUsage, "--%s: the name of the file is empty", option.c_str());
}

Status UsageError(const ToolHelp& help, const std::string& problem) {
  return Status(Code::kUsage, problem + " (usage: " + UsageLine(help) + "; see --help)");
}

std::string HelpText(const ToolHelp& help, cxxopts::Options& options) {
  options.set_width(kHelpColumns);
  options.custom_help("").positional_help("");
  std::string groups = WithoutStraySpaces(options.help({}, false));
  groups.erase(0, groups.find_first_not_of('\n'));
  return std::string(help.summary) + "\n\nUsage: " + UsageLine(help) + "\n\nOptions:\n" + groups + "\nExamples:\n" +
         Indented(help.examples) + kFooter;
}

Status RunWithOptions(const ToolHelp& help, cxxopts::Options options, int argc, char** argv,
                      Status (*work)(const cxxopts::ParseResult& parsed, const CommonFlags& flags)) {
  INTSAM_ASSIGN(const cxxopts::ParseResult parsed, ParseOptions(options, argc, argv));
  INTSAM_ASSIGN(const CommonFlags flags, CommonFlagsOf(parsed));
  if (!flags.help && !flags.version) return work(parsed, flags);
  const std::string version =
      VersionLine(help.tool, BuiltTiers()) + "\nreads " + PhotoDecoders() + "\nsandbox " + SandboxLibraries() + "\n";
  Out(flags.help ? HelpText(help, options) : version);
  return Status();
}

std::string VersionLine(const std::string& tool, const std::string& tiers) {
  return tool + " " INTSAM_VERSION " (commit " INTSAM_COMMIT ", compiler " __VERSION__ ", tiers " + tiers + ")";
}

}  // namespace intsam::internal
