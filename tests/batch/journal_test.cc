// What a run leaves behind while it works, and what another one makes of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "apps/batch/manifest.h"
#include "apps/batch/oriented_files.h"
#include "apps/batch/results_file.h"
#include "files/append_file.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

const std::string kAbout = "{\"manifest\":1,\"job\":\"auto\"}\n";
const std::vector<NamedPhoto> kPhotos = {{"a.png", ""}, {"b\xff.png", ""}, {"c.png", ""}};

std::string Text(const std::string& path) {
  const std::vector<uint8_t> bytes = ReadAll(path);
  return {bytes.begin(), bytes.end()};
}

void Put(const std::string& path, const std::string& text) {
  WriteAll(path, std::vector<uint8_t>(text.begin(), text.end()));
}

class Journal : public testing::Test {
 protected:
  std::string path() const { return scratch_ / "manifest.jsonl"; }
  Result<Manifest> Open(bool resume, const std::vector<NamedPhoto>& photos = kPhotos) {
    return Manifest::Open(path(), kAbout, photos, resume);
  }
  static PhotoOutcome Done(size_t masks) {
    PhotoOutcome outcome;
    outcome.size = {4, 3};
    outcome.masks = masks;
    return outcome;
  }
  // Two photos, of which the second has failed.
  void WriteTwo() {
    Result<Manifest> manifest = Open(false);
    ASSERT_TRUE(manifest.ok()) << manifest.status().message();
    ASSERT_TRUE(manifest->Append(kPhotos[0], Done(5), 100).ok());
    PhotoOutcome failed;
    failed.status = Status(Code::kDamaged, "b\xff.png: not a picture");
    ASSERT_TRUE(manifest->Append(kPhotos[1], failed, 100).ok());
  }

  const TemporaryFolder scratch_;
};

TEST_F(Journal, IsResumed) {
  WriteTwo();
  const std::string before = Text(path());
  Result<Manifest> manifest = Open(true);
  ASSERT_TRUE(manifest.ok()) << manifest.status().message();
  EXPECT_TRUE(manifest->resumed());
  const ManifestTotals& totals = manifest->totals();
  EXPECT_EQ(totals.photos, 2u);
  EXPECT_EQ(totals.failed, 1u);
  EXPECT_EQ(totals.masks, 5u);
  EXPECT_EQ(totals.results_bytes, 100u);
  EXPECT_FALSE(totals.complete);
  EXPECT_EQ(Text(path()), before);
  ASSERT_TRUE(manifest->Append(kPhotos[2], Done(1), 120).ok());
  ASSERT_TRUE(manifest->AppendEnd().ok());
  EXPECT_EQ(Text(path()).substr(0, before.size()), before);
}

TEST_F(Journal, WithoutOneBegins) {
  const Result<Manifest> manifest = Open(true);
  ASSERT_TRUE(manifest.ok());
  EXPECT_FALSE(manifest.value().resumed());
  EXPECT_EQ(Text(path()), kAbout);
}

TEST_F(Journal, CutAnywhereGoesOnFromTheLineBefore) {
  WriteTwo();
  const std::string whole = Text(path());
  for (size_t size = 0; size <= whole.size(); ++size) {
    Put(path(), whole.substr(0, size));
    const Result<Manifest> manifest = Open(true);
    ASSERT_TRUE(manifest.ok()) << size << ": " << manifest.status().message();
    const auto lines = static_cast<size_t>(std::count(whole.begin(), whole.begin() + static_cast<long>(size), '\n'));
    EXPECT_EQ(manifest.value().totals().photos, lines > 0 ? lines - 1 : 0) << size;
    EXPECT_EQ(Text(path()),
              lines > 0 ? whole.substr(0, whole.rfind('\n', size - 1) + 1) : whole.substr(0, whole.find('\n') + 1))
        << size;
  }
}

TEST_F(Journal, RefusesWhatIsNotItsOwn) {
  WriteTwo();
  ExpectFailure(Open(false).status(), Code::kUsage, "--resume");
  ExpectFailure(Open(true, {kPhotos[0]}).status(), Code::kUsage, "line 3: the photos have changed");
  ExpectFailure(Open(true, {kPhotos[1], kPhotos[0]}).status(), Code::kUsage, "'a.png' was here");
  ExpectFailure(Manifest::Open(path(), "{\"manifest\":1}\n", kPhotos, true).status(), Code::kUsage,
                "line 1: the run was begun with other options");
  const std::string whole = Text(path());
  for (const char* line : {"{}\n", "[1]\n", "not JSON\n", "{\"status\":\"done\"}\n", "\n"}) {
    Put(path(), whole + line);
    const Status status = Open(true).status();
    EXPECT_FALSE(status.ok()) << line;
    EXPECT_NE(status.message().find("line 4: "), std::string::npos) << status.message();
    EXPECT_EQ(Text(path()), whole + line) << "nothing of it is lost";
  }
}

// Neither the stack nor the time grows with what somebody has written there.
TEST_F(Journal, LinesThatAreLargeInsteadOfTrue) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  std::string keys;
  for (int i = 0; i < 100'000; ++i) keys += ",\"" + std::to_string(i) + "\":0";
  for (const std::string& rest : {R"("image":)" + deep, "\"image\":7" + keys}) {
    Put(path(), kAbout + R"({"status":"done",)" + rest + "}\n");
    ExpectFailure(Open(true).status(), Code::kUsage, "line 2: the photos have changed");
  }
}

TEST_F(Journal, ACompleteRunTakesNoMore) {
  WriteTwo();
  {
    Result<Manifest> manifest = Open(true);
    ASSERT_TRUE(manifest.ok() && manifest->Append(kPhotos[2], Done(1), 0).ok() && manifest->AppendEnd().ok());
  }
  {
    const Result<Manifest> manifest = Open(true);
    ASSERT_TRUE(manifest.ok());
    EXPECT_TRUE(manifest.value().totals().complete);
  }
  std::vector<NamedPhoto> more = kPhotos;
  more.push_back({"d.png", ""});
  ExpectFailure(Open(true, more).status(), Code::kUsage, "complete with 3 of them, and now there are 4");
}

TEST_F(Journal, TwoProcessesDoNotWriteOne) {
  SKIP_WITHOUT_POSIX();
  const Result<Manifest> first = Open(false);
  ASSERT_TRUE(first.ok());
  ExpectFailure(Open(true).status(), Code::kUsage, "another process");
}

TEST_F(Journal, ResultsWithCommas) {
  const std::string path = scratch_ / "results.json";
  {
    Result<ResultsFile> file = ResultsFile::Open(path, ResultsFile::kCoco, 0);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->Append("").ok());
    ASSERT_TRUE(file->Append(",\n1,\n2").ok());
    const uint64_t known = file->size();
    ASSERT_TRUE(file->Append(",\n3").ok());
    EXPECT_EQ(Text(path + ".part"), "[\n1,\n2,\n3");
    EXPECT_EQ(known, 6u);
  }
  Result<ResultsFile> file = ResultsFile::Open(path, ResultsFile::kCoco, 6);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Text(path + ".part"), "[\n1,\n2");
  ASSERT_TRUE(file->Append(",\n4").ok());
  ASSERT_TRUE(file->Finish().ok());
  EXPECT_EQ(Text(path), "[\n1,\n2,\n4\n]\n");
  EXPECT_EQ(scratch_.Count(), 1u);
}

TEST_F(Journal, ResultsWithoutRecords) {
  Result<ResultsFile> file = ResultsFile::Open(scratch_ / "r.json", ResultsFile::kCoco, 0);
  ASSERT_TRUE(file.ok() && file->Finish().ok());
  EXPECT_EQ(Text(scratch_ / "r.json"), "[\n]\n");
}

TEST_F(Journal, ResultsThatAreGone) {
  Put(scratch_ / "r.jsonl.part", "abc");
  ExpectFailure(ResultsFile::Open(scratch_ / "r.jsonl", ResultsFile::kLines, 4).status(), Code::kDamaged,
                "r.jsonl.part");
}

TEST_F(Journal, AppendFilesAreRegularFiles) {
  ExpectFailure(AppendFile::Open(scratch_.path()).status(), Code::kIo, "cannot open");
  ExpectFailure(AppendFile::Open("/dev/null").status(), Code::kIo, "regular file");
  ExpectFailure(AppendFile::Open(scratch_ / "no/folder").status(), Code::kIo, "no/folder");
}

TEST_F(Journal, OrientedFilesOfClasses) {
  Put(scratch_ / "lines", "2\ta 0.5 1.00\n7\ta 0.25 2.00\n2\tb 1 3.00\n");
  const std::map<int64_t, std::string> classes = {{1, "ship"}, {2, "small vehicle/x"}};
  ASSERT_TRUE(WriteOrientedFiles(scratch_ / "lines", scratch_.path(), ".1-of-2", classes).ok());
  EXPECT_EQ(Text(scratch_ / "Task1_small_vehicle_x.1-of-2.txt"), "a 0.5 1.00\nb 1 3.00\n");
  EXPECT_EQ(Text(scratch_ / "Task1_7.1-of-2.txt"), "a 0.25 2.00\n");
  EXPECT_EQ(Text(scratch_ / "Task1_ship.1-of-2.txt"), "");
  EXPECT_EQ(scratch_.Count(), 4u);
  ExpectFailure(ClassFileNames({{1, "a b"}, {2, "a_b"}}).status(), Code::kUsage, "Task1_a_b");
  Put(scratch_ / "lines", "no number\n");
  ExpectFailure(WriteOrientedFiles(scratch_ / "lines", scratch_.path(), "", {}), Code::kDamaged, "lines");
}

}  // namespace
}  // namespace intsam::internal
