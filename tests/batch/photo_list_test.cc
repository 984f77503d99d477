// Which photos there are, what they are called, and which of them a shard has.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "apps/batch/photo_list.h"
#include "apps/batch/shard.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

namespace fs = std::filesystem;

// A folder with photos, which are empty here: nothing reads them.
class PhotoList : public testing::Test {
 protected:
  PhotoList() {
    for (const char* name : {"in/b.jpg", "in/a.png", "in/notes.txt", "in/.hidden.png", "in/a.labels.0.png",
                             "in/deep/a.png", "in/deep/er/c.TIF", "in/.cache/d.png", "other/a.png"}) {
      Touch(name);
    }
  }
  void Touch(const std::string& name) {
    fs::create_directories(fs::path(scratch_ / name).parent_path());
    WriteAll(scratch_ / name, {});
  }
  Result<std::vector<NamedPhoto>> List(const std::vector<std::string>& inputs, bool recursive = false,
                                       const std::string& out = "out") {
    PhotoSources sources;
    for (const std::string& input : inputs) sources.inputs.push_back(scratch_ / input);
    sources.recursive = recursive;
    sources.out = scratch_ / out;
    return ListPhotosOf(sources);
  }
  std::vector<std::string> Names(const std::vector<std::string>& inputs, bool recursive = false,
                                 const std::string& out = "out") {
    const Result<std::vector<NamedPhoto>> photos = List(inputs, recursive, out);
    EXPECT_TRUE(photos.ok()) << photos.status().message();
    std::vector<std::string> names;
    if (!photos.ok()) return names;
    for (const NamedPhoto& photo : photos.value()) {
      EXPECT_TRUE(fs::exists(photo.path)) << photo.path;
      names.push_back(photo.name);
    }
    return names;
  }

  using Strings = std::vector<std::string>;
  const TemporaryFolder scratch_;
};

TEST_F(PhotoList, FoldersAreSorted) {
  EXPECT_EQ(Names({"in"}), Strings({"a.png", "b.jpg"}));
  EXPECT_EQ(Names({"in"}, true), Strings({"a.png", "b.jpg", "deep/a.png", "deep/er/c.TIF"}));
}

TEST_F(PhotoList, InputsKeepTheirOrder) {
  EXPECT_EQ(Names({"in/b.jpg", "other"}), Strings({"b.jpg", "a.png"}));
  EXPECT_EQ(Names({"in/*"}), Strings({"a.png", "b.jpg"}));
  EXPECT_EQ(Names({"in/d*p/?.png"}), Strings({"a.png"}));
}

TEST_F(PhotoList, ANameOfAPatternsFormThatExistsIsNoPattern) {
  Touch("in/x[1].png");
  EXPECT_EQ(Names({"in/x[1].png"}), Strings({"x[1].png"}));
}

TEST_F(PhotoList, ListsKeepTheirFolders) {
  const std::string text = "a.png\r\n\n/abs/olute/b.png\n../up/../c.png\nx/./y//d.png";
  WriteAll(scratch_ / "list", std::vector<uint8_t>(text.begin(), text.end()));
  PhotoSources sources;
  sources.list = scratch_ / "list";
  sources.out = scratch_ / "out";
  const Result<std::vector<NamedPhoto>> photos = ListPhotosOf(sources);
  ASSERT_TRUE(photos.ok()) << photos.status().message();
  Strings names, paths;
  for (const NamedPhoto& photo : photos.value()) names.push_back(photo.name), paths.push_back(photo.path);
  EXPECT_EQ(names, Strings({"a.png", "abs/olute/b.png", "c.png", "x/y/d.png"}));
  EXPECT_EQ(paths, Strings({"a.png", "/abs/olute/b.png", "../up/../c.png", "x/./y//d.png"}));
}

TEST_F(PhotoList, TwoOfOneNameAreRefused) {
  ExpectFailure(List({"in", "other"}).status(), Code::kUsage, "both called a.png");
  ExpectFailure(List({"in/a.png", "in/a.png"}).status(), Code::kUsage, "both called a.png");
  ExpectFailure(CheckStems({{"x/a.png", ""}, {"x/b.png", ""}, {"x/a.jpg", ""}}), Code::kUsage, "x/a;");
  EXPECT_TRUE(CheckStems({{"x/a.png", ""}, {"y/a.png", ""}, {"a", ""}}).ok());
}

TEST_F(PhotoList, NothingIsRefused) {
  fs::create_directory(scratch_ / "empty");
  ExpectFailure(List({"empty"}).status(), Code::kUsage, "--recursive");
  ExpectFailure(List({"empty"}, true).status(), Code::kUsage, "empty: holds no photo");
  ExpectFailure(List({"in/*.gif"}).status(), Code::kUsage, "in/*.gif: no photo");
  EXPECT_TRUE(List({"in/gone.png"}).ok()) << "a photo itself is looked for when its turn comes";
}

TEST_F(PhotoList, ResultsAreNoPhotos) {
  Touch("in/out/e.png");
  EXPECT_EQ(Names({"in"}, true, "in/out"), Strings({"a.png", "b.jpg", "deep/a.png", "deep/er/c.TIF"}));
  ExpectFailure(List({"in/out/e.png"}, false, "in/out").status(), Code::kUsage, "folder of results");
  ExpectFailure(List({"in"}, false, "in").status(), Code::kUsage, "folder of results");
  ExpectFailure(List({"in/b.jpg"}, false, "in/deep/..").status(), Code::kUsage, "folder of results");
}

TEST_F(PhotoList, LinksToFoldersAreNotFollowed) {
  fs::create_directory_symlink(scratch_ / "in", scratch_ / "in/deep/loop");
  EXPECT_EQ(Names({"in"}, true).size(), 4u);
}

TEST(PhotoNames, Stems) {
  EXPECT_EQ(Stem("trip/cat.v2.jpg"), "trip/cat.v2");
  EXPECT_EQ(Stem("trip.1/cat"), "trip.1/cat");
  EXPECT_EQ(Stem("trip/.png"), "trip/.png");
  EXPECT_EQ(Stem("cat"), "cat");
}

TEST(Shards, EachNameIsInOne) {
  std::vector<int> sizes(7);
  for (int i = 0; i < 700; ++i) {
    const std::string name = "photo" + std::to_string(i) + ".jpg";
    int shards = 0;
    for (uint32_t index = 1; index <= 7; ++index) {
      const bool has = Shard{index, 7}.Has(name);
      shards += has;
      sizes[index - 1] += has;
    }
    EXPECT_EQ(shards, 1) << name;
    EXPECT_TRUE(Shard().Has(name));
  }
  for (const int size : sizes) EXPECT_NEAR(size, 100, 40);
}

TEST(Shards, StayAsTheyAre) {
  // A run that is resumed by a newer version must find its photos: SHA-256 of the name, first eight bytes, big-endian.
  EXPECT_TRUE((Shard{5, 7}.Has("a.jpg")));
  EXPECT_TRUE((Shard{1, 2}.Has("a.jpg")));
}

TEST(Shards, Texts) {
  const Result<Shard> shard = ParseShard("2/8");
  ASSERT_TRUE(shard.ok());
  EXPECT_EQ(shard.value().Suffix(), ".2-of-8");
  EXPECT_EQ(ParseShard("1/1").value().Suffix(), "");
  for (const char* text : {"", "2", "0/8", "9/8", "1/0", "1/65537", "a/b", "1/2/3", "-1/2"})
    ExpectFailure(ParseShard(text).status(), Code::kUsage, "--shard");
}

}  // namespace
}  // namespace intsam::internal
