// Masks from any picture, values that are stretched, notes, and folders of photos.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "apps/common/file_bytes.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/photos.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/photo_files.h"

namespace intsam::internal {
namespace {

Bytes InsideOf(const Bytes& file) {
  Result<Mask> mask = DecodeMask(file);
  EXPECT_TRUE(mask.ok()) << mask.status().message();
  return mask.ok() ? mask->inside : Bytes();
}

TEST(Masks, AnyPngIsAMask) {
  EXPECT_EQ(InsideOf(MakePng(8, 1, 1, 0, {{0xA5}})), (Bytes{1, 0, 1, 0, 0, 1, 0, 1}));
  EXPECT_EQ(InsideOf(MakePng(4, 1, 8, 0, {{0, 1, 128, 255}})), (Bytes{0, 1, 1, 1}));
  EXPECT_EQ(InsideOf(MakePng(3, 1, 8, 2, {{0, 0, 0, 0, 0, 1, 9, 9, 9}})), (Bytes{0, 1, 1}));
  EXPECT_EQ(InsideOf(MakePng(3, 1, 16, 0, {{0, 0, 0, 1, 1, 0}})), (Bytes{0, 1, 1}));
  // Alpha 0 is outside, whatever the colour; black is outside, whatever the alpha.
  EXPECT_EQ(InsideOf(MakePng(3, 1, 8, 4, {{9, 0, 9, 1, 0, 255}})), (Bytes{0, 1, 0}));
  EXPECT_EQ(InsideOf(MakePng(2, 1, 8, 6, {{1, 2, 3, 0, 1, 2, 3, 4}})), (Bytes{0, 1}));
  // A palette decides by its colours, not by its numbers.
  const Bytes palette = MakePng(3, 1, 8, 3, {{0, 1, 2}});
  EXPECT_EQ(InsideOf(WithChunk(palette, "PLTE", {0, 0, 9, 0, 0, 0, 1, 1, 1})), (Bytes{1, 0, 1}));
  Bytes transparent = WithChunk(WithChunk(palette, "tRNS", {255, 255, 0}), "PLTE", {0, 0, 9, 0, 0, 0, 1, 1, 1});
  EXPECT_EQ(InsideOf(transparent), (Bytes{1, 0, 0}));
}

TEST(Masks, AreTurnedAsPhotosAre) {
  const Bytes png = WithChunk(MakePng(2, 1, 8, 0, {{255, 0}}), "eXIf", ExifWithOrientation(8, true, 0));
  const Result<Mask> mask = DecodeMask(png);
  ASSERT_TRUE(mask.ok());
  EXPECT_EQ(mask.value().size, (ImageSize{1, 2}));
  EXPECT_EQ(mask.value().inside, (Bytes{0, 1}));
}

TEST(Masks, AJpegsNearlyBlackPixelsAreNoted) {
  Bytes rgb(3 * 32 * 32, 0);
  for (size_t i = 0; i < rgb.size(); i += 9) rgb[i] = 12;
  const Result<Mask> mask = DecodeMask(MakeJpeg(rgb, 32, 32));
  ASSERT_TRUE(mask.ok());
  ASSERT_EQ(mask.value().notes.size(), 1u);
  EXPECT_NE(mask.value().notes[0].find("nearly black"), std::string::npos);
}

TEST(Orientation, OfPngsInBothByteOrdersAndWithIntroduction) {
  const Bytes png = MakePng(2, 1, 8, 0, {{1, 2}});
  for (bool little : {false, true}) {
    Bytes exif = ExifWithOrientation(6, little, 2);
    for (int introduced = 0; introduced < 2; ++introduced) {
      Result<Image> image = DecodeImage(WithChunk(png, "eXIf", exif));
      ASSERT_TRUE(image.ok()) << image.status().message();
      EXPECT_EQ(image->size, (ImageSize{1, 2}));
      EXPECT_EQ(image->rgb, (Bytes{1, 1, 1, 2, 2, 2}));
      const std::string introduction("Exif\0\0", 6);
      exif.insert(exif.begin(), introduction.begin(), introduction.end());
    }
  }
}

TEST(Stretch, SpreadsFromDarkestToBrightest) {
  const Bytes dark = MakePng(3, 1, 16, 2, {{0, 10, 0, 10, 0, 20, 0, 20, 0, 20, 0, 20, 1, 9, 0, 10, 0, 10}});
  Result<Image> plain = DecodeImage(dark), stretched = DecodeImage(dark, {.stretch = true});
  ASSERT_TRUE(plain.ok() && stretched.ok());
  EXPECT_EQ(plain->rgb, (Bytes{0, 0, 0, 0, 0, 0, 1, 0, 0}));
  ASSERT_EQ(plain->notes.size(), 1u);
  EXPECT_NE(plain->notes[0].find("low 9 of 16 bits"), std::string::npos) << plain->notes[0];
  EXPECT_NE(plain->notes[0].find("--stretch"), std::string::npos);
  EXPECT_EQ(stretched->rgb, (Bytes{0, 0, 10, 10, 10, 10, 255, 0, 0}));

  // Alpha is no value of the picture; one value alone stays what it is; 8 bits are stretched as well.
  Result<Image> alpha = DecodeImage(MakePng(2, 1, 8, 4, {{10, 255, 20, 0}}), {.stretch = true});
  ASSERT_TRUE(alpha.ok());
  EXPECT_EQ(alpha->rgb, (Bytes{0, 0, 0, 255, 255, 255}));
  Result<Image> flat = DecodeImage(MakePng(2, 1, 8, 0, {{10, 10}}), {.stretch = true});
  ASSERT_TRUE(flat.ok());
  EXPECT_EQ(flat->rgb, Bytes(6, 10));
  EXPECT_TRUE(DecodeImage(MakePng(1, 1, 16, 0, {{0x40, 0}}))->notes.empty());  // bit 14 is used
}

class Folders : public testing::Test {
 protected:
  void Photo(const std::string& name, uint8_t v = 7) { WriteAll(folder_ / name, MakePng(1, 1, 8, 0, {{v}})); }
  void Damaged(const std::string& name) { WriteAll(folder_ / name, Bytes{0x89, 'P', 'N', 'G'}); }

  // Paths without the folder, or the error's words.
  std::vector<std::string> Read(const FolderOptions& options, std::vector<std::string>* notes) {
    Result<PhotoFolder> folder = PhotoFolder::Open("--images", folder_.path(), options);
    if (!folder.ok()) return {folder.status().message()};
    std::vector<std::string> names;
    while (true) {
      Result<std::optional<PhotoFolder::Photo>> photo = folder->Next();
      if (!photo.ok()) return {photo.status().message()};
      if (!photo.value()) break;
      names.push_back((*photo)->path.substr(folder_.path().size() + 1));
    }
    *notes = folder->notes();
    return names;
  }

  TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(Folders, HoldPhotosAndForeignEntries) {
  SKIP_WITHOUT_POSIX();
  for (const char* name : {"b.png", "A.JPG", "c.jfif", "d.JPE", "e.jpeg", "f.png"}) Photo(name);
  Photo("._b.png"), Photo(".hidden.png"), Photo("b.labels.0.png");
  WriteAll(folder_ / "notes.txt", Bytes{1});
  std::filesystem::create_directory(folder_ / "old.png");
  ASSERT_EQ(mkfifo((folder_ / "pipe.png").c_str(), 0600), 0);
  std::filesystem::create_symlink("b.png", folder_ / "link.png");
  std::filesystem::create_symlink("gone", folder_ / "broken.png");
  Names notes;
  EXPECT_EQ(Read({}, &notes), (Names{"A.JPG", "b.png", "c.jfif", "d.JPE", "e.jpeg", "f.png", "link.png"}));
  EXPECT_EQ(notes, Names());
  EXPECT_EQ(Read({.limit = 2}, &notes), (Names{"A.JPG", "b.png"}));
}

TEST_F(Folders, SkipWhatCannotBeReadUnlessStrict) {
  Photo("a.png"), Damaged("b.png"), Photo("c.png"), Photo("d.png");
  WriteAll(folder_ / "e.webp", Bytes{'G', 'I', 'F', '8', '9', 'a'});
  Names notes;
  EXPECT_EQ(Read({}, &notes), (Names{"a.png", "c.png", "d.png"}));
  ASSERT_EQ(notes.size(), 3u);
  EXPECT_NE(notes[0].find("skipped: " + folder_ / "b.png"), std::string::npos) << notes[0];
  EXPECT_NE(notes[1].find("a GIF picture"), std::string::npos) << notes[1];
  EXPECT_NE(notes[2].find("2 of 5 photos were skipped"), std::string::npos) << notes[2];
  // What is skipped does not count towards the limit.
  EXPECT_EQ(Read({.limit = 2}, &notes), (Names{"a.png", "c.png"}));
  const Names strict = Read({.strict = true}, &notes);
  ASSERT_EQ(strict.size(), 1u);
  EXPECT_NE(strict[0].find("b.png: PNG truncated"), std::string::npos) << strict[0];
}

TEST_F(Folders, SayWhatIsThereInsteadOfPhotos) {
  Names notes;
  EXPECT_NE(Read({}, &notes)[0].find("is empty"), std::string::npos);
  WriteAll(folder_ / "notes.txt", Bytes{1});
  EXPECT_NE(Read({}, &notes)[0].find("holds no photo but 'notes.txt'"), std::string::npos);
  WriteAll(folder_ / "a.gif", Bytes{1});
  EXPECT_NE(Read({}, &notes)[0].find("holds no photo but 2 other entries such as 'a.gif'"), std::string::npos);
  Damaged("a.png"), Damaged("b.png");
  EXPECT_NE(Read({}, &notes)[0].find("none of 2 photos could be read; the first: "), std::string::npos);
}

TEST_F(Folders, ManyNotesAreCounted) {
  Photo("a.png");
  for (int i = 0; i < 30; ++i) Damaged("b" + std::to_string(i) + ".png");
  Names notes;
  EXPECT_EQ(Read({}, &notes), Names{"a.png"});
  ASSERT_EQ(notes.size(), 22u);
  EXPECT_NE(notes[20].find("10 more notes"), std::string::npos);
}

TEST_F(Folders, FilesNamedByFilesAreRegular) {
  SKIP_WITHOUT_POSIX();
  Photo("a.png");
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("a.png", folder_ / "link");
  const auto failure = [](const std::string& path) { return ReadRegularFile(path, 1000).status(); };
  EXPECT_TRUE(failure(folder_ / "link").ok());
  ExpectFailure(failure(folder_ / "pipe"), Code::kIo, "pipe: not a regular file");
  ExpectFailure(failure("/dev/zero"), Code::kIo, "/dev/zero: not a regular file");
  ExpectFailure(failure(folder_.path()), Code::kIo, "Is a directory");
  ExpectFailure(failure(folder_ / std::string("a.png\0.jpg", 10)), Code::kUsage, "zero byte");
  ExpectFailure(ReadRegularFile(folder_ / "a.png", 10).status(), Code::kResource, "larger than the limit of 10 bytes");
  ExpectFailure(ReadLabels(folder_ / "pipe").status(), Code::kIo, "not a regular file");
  ExpectFailure(ReadImage(folder_ / "pipe", {.regular_file = true}).status(), Code::kIo, "not a regular file");
}

}  // namespace
}  // namespace intsam::internal
