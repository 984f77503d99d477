// What the tools print, as a terminal sees it: escapes, JSON, the progress bar.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "apps/common/escape.h"
#include "apps/common/output.h"
#include "apps/common/progress.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

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
  std::string Read() const {
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

}  // namespace
}  // namespace intsam::internal
