// Folders of files that are whole or not there.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "files/atomic_folder.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

std::string Text(const std::string& path) {
  const std::vector<uint8_t> bytes = ReadAll(path);
  return {bytes.begin(), bytes.end()};
}

AtomicFolder MustCreate(const std::string& path, bool overwrite = false) {
  Result<AtomicFolder> folder = AtomicFolder::Create(path, overwrite);
  EXPECT_TRUE(folder.ok()) << folder.status().message();
  return std::move(folder).value();
}

void Put(AtomicFolder& folder, const std::string& name, const std::string& text) {
  const Result<std::string> path = folder.Add(name);
  ASSERT_TRUE(path.ok());
  WriteAll(path.value(), std::vector<uint8_t>(text.begin(), text.end()));
}

TEST(AtomicFolder, AppearsOnlyWhenCommitted) {
  const TemporaryFolder scratch;
  AtomicFolder folder = MustCreate(scratch / "a//b/c/");
  Put(folder, "0.png", "zero");
  Put(folder, "1.png", "one");
  EXPECT_FALSE(std::filesystem::exists(scratch / "a/b/c"));
  ASSERT_TRUE(folder.Commit().ok());
  EXPECT_EQ(Text(scratch / "a/b/c/0.png") + Text(scratch / "a/b/c/1.png"), "zeroone");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / "a/b"), {}), 1);
}

TEST(AtomicFolder, UncommittedLeavesNothing) {
  const TemporaryFolder scratch;
  std::filesystem::create_directory(scratch / "kept");
  {
    AtomicFolder folder = MustCreate(scratch / "kept/a/b");
    Put(folder, "0.png", "zero");
    const AtomicFolder moved = std::move(folder);
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "kept"));
  EXPECT_EQ(scratch.Count(), 1u);
}

TEST(AtomicFolder, AFolderThatExistsKeepsItsOtherFiles) {
  const TemporaryFolder scratch;
  std::filesystem::create_directory(scratch / "a");
  WriteAll(scratch / "a/0.png", std::vector<uint8_t>{'o', 'l', 'd'});
  WriteAll(scratch / "a/mine", std::vector<uint8_t>{'m'});
  ExpectFailure(AtomicFolder::Create(scratch / "a", false).status(), Code::kUsage, "exists already");
  AtomicFolder folder = MustCreate(scratch / "a", true);
  Put(folder, "0.png", "new");
  EXPECT_EQ(Text(scratch / "a/0.png"), "old");
  ASSERT_TRUE(folder.Commit().ok());
  EXPECT_EQ(Text(scratch / "a/0.png") + Text(scratch / "a/mine"), "newm");
  EXPECT_EQ(scratch.Count(), 1u);
}

TEST(AtomicFolder, RefusesWhatIsNoFolder) {
  const TemporaryFolder scratch;
  WriteAll(scratch / "file", std::vector<uint8_t>{'f'});
  ExpectFailure(AtomicFolder::Create(scratch / "file", false).status(), Code::kUsage, "exists already");
  ExpectFailure(AtomicFolder::Create(scratch / "file", true).status(), Code::kUsage, "not a folder");
  ExpectFailure(AtomicFolder::Create(scratch / "file/a/b", true).status(), Code::kIo, "file/a/b: cannot create");
  ExpectFailure(AtomicFolder::Create("", true).status(), Code::kIo, "cannot create");
  EXPECT_EQ(scratch.Count(), 1u);
}

TEST(AtomicFolder, ErrorsNameTheFileAsItWillBe) {
  const TemporaryFolder scratch;
  AtomicFolder folder = MustCreate(scratch / "a");
  const Result<std::string> path = folder.Add("0.png");
  ASSERT_TRUE(path.ok());
  const Status named = folder.Named(Status(Code::kIo, path.value() + ": cannot write"));
  EXPECT_EQ(named.code(), Code::kIo);
  EXPECT_EQ(named.message(), scratch / "a/0.png: cannot write");
  EXPECT_TRUE(folder.Named(Status()).ok());
}

// The folder, its files and the folders that lead to it; what was there before stays.
TEST(AtomicFolder, VanishesWhenInterrupted) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder scratch;
  std::filesystem::create_directory(scratch / "kept");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFolder folder = MustCreate(scratch / "kept/a/b");
    Put(folder, "0.png", "zero");
    Put(folder, "metadata.csv", "rows");
    raise(SIGTERM);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(Code::kCancelled));
  EXPECT_EQ(scratch.Count(), 1u);
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "kept"));
}

TEST(AtomicFolder, WhatAKilledProcessLeftIsRemovedByTheNext) {
  SKIP_WITHOUT_POSIX();
  const TemporaryFolder scratch;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFolder folder = MustCreate(scratch / "a");
    Put(folder, "0.png", "zero");
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(scratch.Count(), 1u);
  AtomicFolder folder = MustCreate(scratch / "a");
  EXPECT_EQ(scratch.Count(), 1u);
  AtomicFolder other = MustCreate(scratch / "a");  // somebody else at work on the same folder
  EXPECT_EQ(scratch.Count(), 2u);
  Put(folder, "1.png", "one");
  ASSERT_TRUE(folder.Commit().ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / "a"), {}), 1);
}

}  // namespace
}  // namespace intsam::internal
