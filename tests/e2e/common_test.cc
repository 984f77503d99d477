// What the tools share besides photos, prompts, files and terminals: diagnostics and options.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "apps/common/file_bytes.h"
#include "apps/common/options.h"
#include "apps/common/output.h"
#include "apps/common/tool.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

TEST(FileBytes, ReadsUpToTheLimit) {
  const TemporaryFolder folder;
  WriteAll(folder / "a", std::vector<uint8_t>(200000, 7));
  Result<std::vector<uint8_t>> bytes = ReadFileBytes(folder / "a", 200000);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, std::vector<uint8_t>(200000, 7));
  EXPECT_EQ(ReadFileBytes(folder / "a", 199999).status().code(), Code::kResource);
  EXPECT_EQ(ReadFileBytes("/dev/zero", 100000).status().code(), Code::kResource);
  EXPECT_EQ(ReadFileBytes(folder.path(), 10).status().code(), Code::kIo);
}

TEST(FileBytes, LinesOfAnyLengthUpToTheLastNewline) {
  const TemporaryFolder folder;
  const std::string path = folder / "lines", wide(200000, 'w');  // of several pieces
  const auto write = [&path](std::string_view text) { WriteAll(path, std::vector<uint8_t>(text.begin(), text.end())); };
  write("first\n\n" + wide + "\nno line");
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) {
    lines.emplace_back(line);
    return lines.size() < 3 || line == wide ? Status() : Error(Code::kUsage, "enough");
  };
  EXPECT_TRUE(ForEachLine(path, take).ok());
  EXPECT_EQ(lines, (std::vector<std::string>{"first", "", wide}));
  write("1\n2\n3\n4\n");
  lines.clear();
  EXPECT_EQ(ForEachLine(path, take).code(), Code::kUsage);
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_EQ(ForEachLine(folder / "none", take).code(), Code::kIo);
  EXPECT_EQ(ForEachLine(folder.path(), take).code(), Code::kIo);
}

std::string ReportedLine(const Status& status, bool json_errors) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Report("tool", status, json_errors), static_cast<int>(status.code()));
  return testing::internal::GetCapturedStderr();
}

TEST(Report, OneLineWhateverTheMessage) {
  SKIP_WITHOUT_POSIX();
  EXPECT_EQ(ReportedLine(Status(), false), "");
  EXPECT_EQ(ReportedLine(Status(Code::kDifference, ""), false), "");
  EXPECT_EQ(ReportedLine(Status(Code::kIo, "a.png: cannot open: why"), false), "tool: a.png: cannot open: why\n");
  EXPECT_EQ(ReportedLine(Status(Code::kIo, std::string("a\nb\x1b[31m\r\t\\ \x7f\0z", 15)), false),
            "tool: a\\nb\\x1b[31m\\r\\t\\ \\x7f\\x00z\n");
}

TEST(Report, JsonIsOneLineAndParses) {
  SKIP_WITHOUT_POSIX();
  const std::string line = ReportedLine(Status(Code::kDamaged, "a\n\"b\": \xFFoffset 7"), true);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const nlohmann::json object = nlohmann::json::parse(line);
  EXPECT_EQ(object["tool"], "tool");
  EXPECT_EQ(object["code"], 4);
  EXPECT_EQ(object["kind"], "damaged");
  EXPECT_EQ(object["message"], "a\n\"b\": \xEF\xBF\xBDoffset 7");
}

int RunCapturing(Status (*body)(int, char**), std::vector<std::string> arguments, std::string& line) {
  arguments.insert(arguments.begin(), "tool");
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStderr();
  const int code = RunTool("tool", static_cast<int>(arguments.size()), argv.data(), body);
  line = testing::internal::GetCapturedStderr();
  return code;
}

TEST(RunTool, CodesOfStatusesAndExceptions) {
  SKIP_WITHOUT_POSIX();
  std::string line;
  EXPECT_EQ(RunCapturing([](int, char**) { return Status(); }, {}, line), 0);
  EXPECT_EQ(line, "");
  EXPECT_EQ(RunCapturing([](int argc, char**) { return Error(Code::kUsage, "%d arguments", argc); }, {"x"}, line), 2);
  EXPECT_EQ(line, "tool: 2 arguments\n");
  EXPECT_EQ(RunCapturing([](int, char**) -> Status { throw std::bad_alloc(); }, {}, line), 6);
  EXPECT_EQ(line, "tool: out of memory\n");
  EXPECT_EQ(RunCapturing([](int, char**) -> Status { throw std::runtime_error("bug\n"); }, {}, line), 70);
  EXPECT_EQ(line, "tool: internal error, please report: bug\\n\n");
  EXPECT_EQ(RunCapturing([](int, char**) -> Status { throw 7; }, {"--json-errors"}, line), 70);
  EXPECT_EQ(nlohmann::json::parse(line)["code"], 70);
  EXPECT_EQ(RunCapturing([](int, char**) { return Status(Code::kIo, "x"); }, {"--", "--json-errors"}, line), 3);
  EXPECT_EQ(line, "tool: x\n");
}

TEST(RunTool, UnwritableOutputIsAnError) {
  SKIP_WITHOUT_POSIX();
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/full", "w", stdout) == nullptr || freopen("/dev/null", "w", stderr) == nullptr) _exit(99);
    char name[] = "tool";
    char* argv[] = {name, nullptr};
    _exit(RunTool("tool", 1, argv, [](int, char**) {
      Out("data\n");
      return Status();
    }));
  }
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(WEXITSTATUS(result), 3);
}

Result<cxxopts::ParseResult> Parse(std::vector<std::string> arguments) {
  cxxopts::Options options("tool", "A tool.");
  options.add_options()("o,output", "Where to", cxxopts::value<std::string>());
  options.add_options()("model", "Model", cxxopts::value<std::string>());
  options.parse_positional({"model"});
  AddCommonOptions(options);
  arguments.insert(arguments.begin(), "tool");
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  return ParseOptions(options, static_cast<int>(argv.size()), argv.data());
}

TEST(Options, CommonFlags) {
  Result<cxxopts::ParseResult> parsed =
      Parse({"m.isam", "-t", "3", "-q", "--json", "--json-errors", "--no-progress", "-h", "--version", "-o", "x"});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  Result<CommonFlags> flags = CommonFlagsOf(*parsed);
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->threads, 3);
  EXPECT_TRUE(flags->help && flags->version && flags->quiet && flags->json && flags->json_errors && !flags->progress);
  EXPECT_EQ((*parsed)["model"].as<std::string>(), "m.isam");

  parsed = Parse({});
  ASSERT_TRUE(parsed.ok());
  flags = CommonFlagsOf(*parsed);
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->threads, 0);
  EXPECT_TRUE(!flags->help && !flags->version && !flags->quiet && !flags->json && !flags->json_errors &&
              flags->progress);
}

TEST(Options, UsageErrors) {
  const auto message = [](const std::vector<std::string>& arguments) {
    Result<cxxopts::ParseResult> parsed = Parse(arguments);
    const Status status = parsed.ok() ? CommonFlagsOf(*parsed).status() : parsed.status();
    EXPECT_EQ(status.code(), Code::kUsage);
    EXPECT_EQ(status.message().find('\n'), std::string::npos);
    return status.message();
  };
  EXPECT_NE(message({"--bogus"}).find("bogus"), std::string::npos);
  EXPECT_NE(message({"-o"}).find("missing an argument"), std::string::npos) << message({"-o"});
  EXPECT_NE(message({"a", "b"}).find("unexpected argument 'b'"), std::string::npos);
  EXPECT_NE(message({"-t", "257"}).find("--threads: 257 is outside 0..256"), std::string::npos);
  EXPECT_NE(message({"-t", "-1"}).find("--threads: -1 is outside 0..256"), std::string::npos) << message({"-t", "-1"});
  EXPECT_NE(message({"-t", "two"}).find("--threads: 'two' is not an integer"), std::string::npos);
}

TEST(Options, Integers) {
  EXPECT_EQ(*ParseInteger("--n", "-5", -5, 5), -5);
  for (const char* text : {"", " 1", "1 ", "1.0", "0x1", "+1", "1e3"}) {
    EXPECT_EQ(ParseInteger("--n", text, 0, 9).status().message(), "--n: '" + std::string(text) + "' is not an integer");
  }
  for (const char* text : {"-1", "10", "99999999999999999999"}) {
    EXPECT_EQ(ParseInteger("--n", text, 0, 9).status().message(), "--n: " + std::string(text) + " is outside 0..9");
  }
}

TEST(Options, VersionLine) {
  const std::string line = VersionLine("tool", "avx2 scalar");
  EXPECT_EQ(line.rfind("tool ", 0), 0u);
  EXPECT_NE(line.find("tiers avx2 scalar)"), std::string::npos);
}

}  // namespace
}  // namespace intsam::internal
