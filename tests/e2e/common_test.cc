// What the tools share besides images and prompts: atomic files, diagnostics, progress, options.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "apps/common/escape.h"
#include "apps/common/file_bytes.h"
#include "apps/common/options.h"
#include "apps/common/output.h"
#include "apps/common/output_files.h"
#include "apps/common/progress.h"
#include "apps/common/tool.h"
#include "files/atomic_file.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

// Under Node.js there is no second process, no signal, no terminal and no name too long for a folder in memory, and
// what is written to stderr cannot be caught.
#ifdef __EMSCRIPTEN__
#define SKIP_WITHOUT_POSIX() GTEST_SKIP() << "needs more of POSIX than Node.js has"
#else
#define SKIP_WITHOUT_POSIX()
#endif

std::string Text(const std::string& path) {
  const std::vector<uint8_t> bytes = ReadAll(path);
  return {bytes.begin(), bytes.end()};
}

AtomicFile MustCreate(const std::string& path) {
  Result<AtomicFile> file = AtomicFile::Create(path);
  EXPECT_TRUE(file.ok()) << file.status().message();
  return std::move(file).value();
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.bin";
  AtomicFile file = MustCreate(path);
  ASSERT_TRUE(file.Write("hel", 3).ok());
  ASSERT_TRUE(file.Write("lo", 2).ok());
  ASSERT_TRUE(file.Sync().ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(Text(file.temporary_path()), "hello");
  ASSERT_TRUE(file.Commit().ok());
  EXPECT_EQ(Text(path), "hello");
  EXPECT_EQ(folder.Count(), 1u);
  EXPECT_EQ(file.Write("x", 1).code(), Code::kIo);  // finished
  EXPECT_EQ(file.Commit().code(), Code::kIo);
  EXPECT_EQ(Text(path), "hello");
}

TEST(AtomicFile, UncommittedLeavesNothingAndKeepsTheOld) {
  const TemporaryFolder folder;
  WriteAll(folder / "a", std::vector<uint8_t>{'o', 'l', 'd'});
  {
    AtomicFile file = MustCreate(folder / "a");
    ASSERT_TRUE(file.Write("new", 3).ok());
    EXPECT_EQ(folder.Count(), 2u);
    AtomicFile moved = std::move(file);
    EXPECT_TRUE(moved.Sync().ok());
  }
  EXPECT_EQ(folder.Count(), 1u);
  EXPECT_EQ(Text(folder / "a"), "old");
  AtomicFile replacement = MustCreate(folder / "a");
  ASSERT_TRUE(replacement.Write("newer", 5).ok());
  replacement = MustCreate(folder / "b");  // the first is dropped
  EXPECT_EQ(folder.Count(), 2u);
  ASSERT_TRUE(replacement.Commit().ok());
  EXPECT_EQ(Text(folder / "a"), "old");
  EXPECT_EQ(Text(folder / "b"), "");
}

TEST(AtomicFile, RefusesWhatItCannotReplace) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder folder;
  const auto failure = [](const std::string& path) { return AtomicFile::Create(path).status(); };
  EXPECT_EQ(failure(folder / "none/a").code(), Code::kIo);
  EXPECT_NE(failure(folder / "none/a").message().find("none/a: cannot create: No such file"), std::string::npos);
  EXPECT_NE(failure(folder.path()).message().find("not a regular file"), std::string::npos);
  EXPECT_NE(failure("/dev/null").message().find("not a regular file"), std::string::npos);
  for (size_t size : {256, 5000}) {
    EXPECT_EQ(failure(folder / std::string(size, 'a')).code(), Code::kIo);
    EXPECT_NE(failure(folder / std::string(size, 'a')).message().find("File name too long"), std::string::npos);
  }
  EXPECT_EQ(folder.Count(), 0u);
  // Failures give their places back: more of them than places, then a success.
  for (int i = 0; i < 40; ++i) EXPECT_FALSE(AtomicFile::Create(folder / "none/a").ok());
  EXPECT_TRUE(MustCreate(folder / "a").Commit().ok());
}

TEST(AtomicFile, ManyAtOnceUpToALimit) {
  const TemporaryFolder folder;
  std::vector<AtomicFile> files;
  Status status;
  while (status.ok() && files.size() < 1000) {
    Result<AtomicFile> file = AtomicFile::Create(folder / "same");
    status = file.status();
    if (file.ok()) files.push_back(std::move(file).value());
  }
  EXPECT_EQ(status.code(), Code::kResource);
  EXPECT_GE(files.size(), 8u);
  EXPECT_EQ(folder.Count(), files.size());
  files.clear();
  EXPECT_EQ(folder.Count(), 0u);
}

TEST(AtomicFile, AFileSizeLimitIsAFailingWrite) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    Result<AtomicFile> file = AtomicFile::Create(folder / "big");
    const std::string data(4000, 'x');
    const Status status = file.ok() ? file->Write(data.data(), data.size()) : file.status();
    _exit(status.code() == Code::kIo && folder.Count() == 0 && !file->Commit().ok() ? 0 : 1);
  }
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_TRUE(WIFEXITED(result) && WEXITSTATUS(result) == 0);
  EXPECT_EQ(folder.Count(), 0u);
}

TEST(AtomicFile, SignalsRemoveTemporaries) {
  SKIP_WITHOUT_POSIX();
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGXCPU}) {
    const TemporaryFolder folder;
    struct sigaction current;
    MustCreate(folder / "first");                                                              // installs the handlers
    if (sigaction(number, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) continue;  // run by nohup
    const pid_t child = fork();
    if (child == 0) {
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      AtomicFile a = MustCreate(folder / "a"), b = MustCreate(folder / "b"), c = MustCreate(folder / "c");
      if (!c.Commit().ok() || folder.Count() != 3) _exit(1);
      raise(number);
      _exit(2);
    }
    int result = 0;
    ASSERT_EQ(waitpid(child, &result, 0), child);
    if (number == SIGINT || number == SIGTERM || number == SIGHUP) {
      EXPECT_TRUE(WIFEXITED(result) && WEXITSTATUS(result) == 130) << number;
    } else {
      EXPECT_TRUE(WIFSIGNALED(result) && WTERMSIG(result) == number) << number;
    }
    EXPECT_EQ(folder.Count(), 1u) << number;
    EXPECT_TRUE(std::filesystem::exists(folder / "c"));
  }
}

// Leaves what a killed process leaves: `files` unfinished files for `path`.
void DieWriting(const std::string& path, int files) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<AtomicFile> open_files;
    for (int i = 0; i < files; ++i) open_files.push_back(MustCreate(path));
    raise(SIGKILL);
  }
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
}

TEST(AtomicFile, RemovesWhatKilledProcessesLeft) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder folder;
  DieWriting(folder / "a", 3);
  DieWriting(folder / "b", 1);
  EXPECT_EQ(folder.Count(), 4u);
  AtomicFile b = MustCreate(folder / "b");
  EXPECT_EQ(folder.Count(), 4u);  // a's leftovers are not b's
  AtomicFile first = MustCreate(folder / "a"), second = MustCreate(folder / "a");
  EXPECT_EQ(folder.Count(), 3u);
  ASSERT_TRUE(first.Write("1", 1).ok() && second.Write("2", 1).ok());  // those at work stay apart
  EXPECT_TRUE(first.Commit().ok() && second.Commit().ok() && b.Commit().ok());
  EXPECT_EQ(Text(folder / "a"), "2");
  EXPECT_EQ(folder.Count(), 2u);
}

TEST(AtomicFile, NamesAsLongAsNamesCanBe) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder folder;
  const std::string path = folder / std::string(255, 'a');
  AtomicFile file = MustCreate(path);
  ASSERT_TRUE(file.Write("x", 1).ok());
  ASSERT_TRUE(file.Commit().ok());
  EXPECT_EQ(Text(path), "x");
}

TEST(AtomicFile, FollowsLinksAndKeepsPermissions) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "elsewhere");
  WriteAll(folder / "elsewhere/old", std::vector<uint8_t>{'o'});
  chmod((folder / "elsewhere/old").c_str(), 0640);
  std::filesystem::create_symlink("elsewhere/old", folder / "link");
  std::filesystem::create_symlink("link", folder / "chain");
  std::filesystem::create_symlink("elsewhere/new", folder / "dangling");
  std::filesystem::create_symlink("loop", folder / "loop");
  for (const char* name : {"chain", "dangling"}) {
    AtomicFile file = MustCreate(folder / name);
    ASSERT_TRUE(file.Write(name, 5).ok());
    ASSERT_TRUE(file.Commit().ok());
    EXPECT_TRUE(std::filesystem::is_symlink(folder / name));
  }
  EXPECT_EQ(Text(folder / "elsewhere/old"), "chain");
  EXPECT_EQ(Text(folder / "elsewhere/new"), "dangl");
  struct stat entry;
  ASSERT_EQ(stat((folder / "elsewhere/old").c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 0777, 0640u);
  EXPECT_EQ(AtomicFile::Create(folder / "loop").status().code(), Code::kIo);
}

TEST(CheckOutputs, NothingIsWrittenOverAnythingElse) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder folder;
  const std::string photo = folder / "photo.png";
  WriteAll(photo, std::vector<uint8_t>{1});
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("photo.png", folder / "link.png");
  std::filesystem::create_hard_link(photo, folder / "hard.png");
  std::filesystem::create_symlink("new.png", folder / "dangling.png");
  const auto check = [&](const std::vector<std::string>& outputs, bool json = false) {
    CommonFlags flags;
    flags.json = json;
    std::vector<NamedFile> named;
    for (const std::string& path : outputs) named.push_back({"--out" + std::to_string(named.size()), path});
    return CheckOutputs(flags, {{"IMAGE", photo}, {"MODEL", folder / "missing.isam"}}, named);
  };
  EXPECT_TRUE(check({folder / "a.png", folder / "b.png", folder / "sub/a.png"}).ok());
  for (const std::string& same : {photo, folder / "link.png", folder / "hard.png", folder / "sub/../photo.png"}) {
    EXPECT_EQ(check({folder / "a.png", same}).message(),
              "--out1: " + same + " would be written over IMAGE, the same file");
  }
  EXPECT_EQ(check({folder / "missing.isam"}).code(), Code::kUsage);  // where an input is expected
  for (const std::string& same : {folder / "new.png", folder / "./new.png", folder / "dangling.png"}) {
    EXPECT_EQ(check({folder / "new.png", same}).code(), Code::kUsage) << same;
  }
  EXPECT_EQ(check({""}).message(), "--out0: the name of the file is empty");
  EXPECT_EQ(check({folder / "none/a.png"}).code(), Code::kIo);
  EXPECT_EQ(check({"-", "-"}).code(), Code::kUsage);
  EXPECT_EQ(check({"-"}, true).message(), "--out0: - and --json both mean standard output");
  EXPECT_EQ(Text(photo), "\1");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.png"));
}

TEST(Escapes, NothingSteersATerminal) {
  EXPECT_EQ(EscapeControls("a\nb\x1b[31m\r\t\\ \x7f"), "a\\nb\\x1b[31m\\r\\t\\ \\x7f");
  EXPECT_EQ(EscapeControls("\u009b31m \u202egnp.jpg \u2066 \u2028"), "\\u009b31m \\u202egnp.jpg \\u2066 \\u2028");
  EXPECT_EQ(EscapeControls("\x9b caf\xe9 \xc3 \xed\xa0\x80"), "\\x9b caf\\xe9 \\xc3 \\xed\\xa0\\x80");  // not UTF-8
  EXPECT_EQ(EscapeControls("caf\u00e9 \u732b \U0001F431"), "caf\u00e9 \u732b \U0001F431");
  EXPECT_EQ(EscapeControls(EscapeControls("a\n\x9b")), EscapeControls("a\n\x9b"));
}

TEST(DumpJson, AnyBytes) {
  EXPECT_EQ(DumpJson({{"name", "caf\xe9 \u009b.png"}}, -1), "{\"name\":\"caf\\ufffd \\u009b.png\"}\n");
}

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

TEST(Progress, SilentUnlessATerminal) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  {
    Progress bar("work", true, fileno(file));
    bar.Update(5, 10);
    bar.Update(10, 10);
  }
  EXPECT_EQ(std::ftell(file), 0);
  std::fclose(file);
}

// A terminal that nobody looks at, and what was written to it.
class PseudoTerminal {
 public:
  PseudoTerminal() : master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    descriptor_ = open(ptsname(master_), O_RDWR | O_NOCTTY);
    setenv("TERM", "xterm", 1);
  }
  ~PseudoTerminal() {
    close(descriptor_);
    close(master_);
  }
  int descriptor() const { return descriptor_; }  // -1: no pseudo-terminals here
  std::string Read() {
    char text[1 << 16];
    fcntl(master_, F_SETFL, O_NONBLOCK);
    const ssize_t n = read(master_, text, sizeof text);
    return std::string(text, static_cast<size_t>(std::max<ssize_t>(n, 0)));
  }

 private:
  int master_, descriptor_ = -1;
};

TEST(Progress, DrawsAndErasesOnATerminal) {
  SKIP_WITHOUT_POSIX();
  PseudoTerminal terminal;
  if (terminal.descriptor() < 0) GTEST_SKIP() << "no pseudo-terminals here";
  {
    Progress disabled("off", false, terminal.descriptor());
    disabled.Update(10, 10);
    Progress bar("work", true, terminal.descriptor());
    for (uint64_t i = 0; i <= 5; ++i) bar.Update(i, 4, "photo\n.png");
  }
  const std::string seen = terminal.Read();
  EXPECT_EQ(seen.find("off"), std::string::npos);
  EXPECT_NE(seen.find("work [........................]   0%  0s  photo\\n.png"), std::string::npos) << seen;
  EXPECT_NE(seen.find("work [########################] 100%"), std::string::npos) << seen;
  EXPECT_EQ(seen.substr(seen.size() - 4), "\r\x1b[K");
}

TEST(Progress, NotOnATerminalThatCannotErase) {
  SKIP_WITHOUT_POSIX();
  PseudoTerminal terminal;
  if (terminal.descriptor() < 0) GTEST_SKIP() << "no pseudo-terminals here";
  for (const char* name : {"dumb", ""}) {
    setenv("TERM", name, 1);
    Progress("work", true, terminal.descriptor()).Update(1, 2);
  }
  unsetenv("TERM");
  Progress("work", true, terminal.descriptor()).Update(1, 2);
  EXPECT_EQ(terminal.Read(), "");
}

TEST(Progress, TicksAndGetsOutOfTheWay) {
  SKIP_WITHOUT_POSIX();
  PseudoTerminal terminal;
  if (terminal.descriptor() < 0) GTEST_SKIP() << "no pseudo-terminals here";
  const auto await = [&](const std::string& words) {
    std::string seen;
    for (int i = 0; i < 1000 && seen.find(words) == std::string::npos; ++i) {
      poll(nullptr, 0, 10);
      seen += terminal.Read();
    }
    return seen.find(words) != std::string::npos;
  };
  Progress bar("work", true, terminal.descriptor());
  bar.Update(1, 4);
  EXPECT_TRUE(await(" 25%  1s"));  // no update came
  {
    const ProgressPause pause;
    const std::string seen = terminal.Read();
    EXPECT_EQ(seen.substr(seen.size() - std::min<size_t>(4, seen.size())), "\r\x1b[K");
  }
  EXPECT_TRUE(await("work ["));  // it comes back by itself
  bar.Clear();
  terminal.Read();
  poll(nullptr, 0, 1500);
  EXPECT_EQ(terminal.Read(), "");
  bar.Restart("more");
  EXPECT_TRUE(await("more  0s"));
}

TEST(Progress, LinesFitTheTerminal) {
  ProgressState state;
  state.label = "calibrating", state.what = "photos/a very long name of a photo \u732b\u732b\u732b.jpg";
  state.done = 1, state.total = 3;
  state.elapsed = std::chrono::seconds(3725), state.left = std::chrono::seconds(65);
  EXPECT_EQ(ProgressLine(state, 100),
            "calibrating [########................]  33%  1h02m, 1m05s left  ...y long name of a photo "
            "\u732b\u732b\u732b.jpg");
  for (size_t columns = 0; columns < 120; ++columns) {
    const std::string line = ProgressLine(state, columns);
    EXPECT_LE(line.size() - std::min<size_t>(line.size(), 3 * (line.find("\u732b") != std::string::npos)), columns)
        << line;
  }
  EXPECT_EQ(ProgressLine(state, 38), "calibrating  33%  1h02m, 1m05s left");
  state.total = 0, state.what = "x\x1b[31m", state.left = std::chrono::seconds(-1);
  EXPECT_EQ(ProgressLine(state, 60), "calibrating  1h02m  x\\x1b[31m");
  state.done = 999, state.total = 1000;
  EXPECT_NE(ProgressLine(state, 60).find(" 99%"), std::string::npos);  // 100 % is for what is complete
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
