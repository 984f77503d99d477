// How the tools write: files that are whole or not there, and never over each other.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "apps/common/output_files.h"
#include "files/atomic_file.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

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

}  // namespace
}  // namespace intsam::internal
