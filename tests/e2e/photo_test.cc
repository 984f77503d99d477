// Image files: formats in and out, orientation, and every kind of bad file, each with its exit code and one sentence.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "apps/common/photo/containers.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/picture_writer.h"
#include "runtime/base/sha256.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/photo_files.h"

namespace intsam::internal {
namespace {

constexpr char kPhoto[] = INTSAM_SOURCE_DIR "/models/photos/chelsea.png";

TEST(ImageFile, PngRoundTrip) {
  const TemporaryFolder folder;
  const ImageSize size{37, 21};
  const Bytes rgb = Gradient(37, 21);
  ASSERT_TRUE(WritePicture(folder / "a.png", rgb.data(), size).ok());
  Result<Image> image = ReadImage(folder / "a.png");
  ASSERT_TRUE(image.ok()) << image.status().message();
  EXPECT_EQ(image->size, size);
  EXPECT_EQ(image->rgb, rgb);
  EXPECT_EQ(folder.Count(), 1u);  // no temporary left
}

TEST(ImageFile, MasksAreBlackAndWhite) {
  const TemporaryFolder folder;
  const uint8_t mask[6] = {0, 1, 1, 0, 0, 1};
  ASSERT_TRUE(WriteMaskPng(folder / "m.png", mask, {3, 2}).ok());
  Result<LabelMap> labels = ReadLabels(folder / "m.png");
  ASSERT_TRUE(labels.ok()) << labels.status().message();
  EXPECT_EQ(labels->labels, (std::vector<uint16_t>{0, 255, 255, 0, 0, 255}));
}

TEST(ImageFile, GrayPaletteAlphaAndDeepPngsBecomeRgb) {
  const auto rgb = [](const Bytes& png) {
    Result<Image> image = DecodeImage(png);
    EXPECT_TRUE(image.ok()) << image.status().message();
    return image.ok() ? image->rgb : Bytes();
  };
  EXPECT_EQ(rgb(MakePng(2, 1, 8, 0, {{7, 200}})), (Bytes{7, 7, 7, 200, 200, 200}));
  EXPECT_EQ(rgb(MakePng(1, 2, 8, 4, {{7, 0}, {9, 255}})), (Bytes{7, 7, 7, 9, 9, 9}));
  EXPECT_EQ(rgb(MakePng(1, 1, 8, 6, {{1, 2, 3, 0}})), (Bytes{1, 2, 3}));
  EXPECT_EQ(rgb(MakePng(1, 1, 16, 2, {{1, 99, 2, 99, 3, 99}})), (Bytes{1, 2, 3}));
  EXPECT_EQ(rgb(MakePng(8, 1, 1, 0, {{0xA5}})).size(), 24u);
}

// Seven passes, each a coarser picture of its own (ISO/IEC 15948 section 8.2).
TEST(ImageFile, InterlacedPngs) {
  constexpr struct {
    uint32_t x, y, dx, dy;
  } kPasses[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  for (const ImageSize size : {ImageSize{13, 11}, ImageSize{1, 1}, ImageSize{3, 9}}) {
    const Bytes rgb = Gradient(size.width, size.height);
    Bytes raw, deep;
    for (const auto& pass : kPasses) {
      if (pass.x >= size.width) continue;  // a pass without pixels has no rows
      for (uint32_t y = pass.y; y < size.height; y += pass.dy) {
        raw.push_back(0), deep.push_back(0);
        for (uint32_t x = pass.x; x < size.width; x += pass.dx) {
          for (uint32_t c = 0; c < 3; ++c) {
            const uint8_t v = rgb[3 * (y * size.width + x) + c];
            raw.push_back(v), deep.push_back(v), deep.push_back(99);
          }
        }
      }
    }
    for (uint8_t bits : {8, 16}) {
      Bytes png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, header;
      AppendBig32(header, size.width), AppendBig32(header, size.height);
      for (uint8_t v : {bits, uint8_t{2}, uint8_t{0}, uint8_t{0}, uint8_t{1}}) header.push_back(v);
      AppendChunk(png, "IHDR", header);
      AppendChunk(png, "IDAT", Deflated(bits == 8 ? raw : deep));
      AppendChunk(png, "IEND", {});
      Result<Image> image = DecodeImage(png);
      ASSERT_TRUE(image.ok()) << image.status().message();
      EXPECT_EQ(image->rgb, rgb);
    }
  }
}

// Chunks that say nothing about these pixels: of an animation, of a profile that is none, of text that would grow.
TEST(ImageFile, OtherChunksChangeNothing) {
  Bytes png = MakePng(2, 1, 8, 2, {{1, 2, 3, 4, 5, 6}});
  Bytes text = {'k', 0, 0};
  const Bytes zeros = Deflated(Bytes(100000, 0));
  text.insert(text.end(), zeros.begin(), zeros.end());
  png = WithChunk(WithChunk(png, "iCCP", {'x', 0, 0, 1, 2, 3}), "zTXt", text);
  png = WithChunk(WithChunk(png, "acTL", {0, 0, 0, 1, 0, 0, 0, 0}), "gAMA", {0, 0, 0, 7});
  Result<Image> image = DecodeImage(png);
  ASSERT_TRUE(image.ok()) << image.status().message();
  EXPECT_EQ(image->rgb, (Bytes{1, 2, 3, 4, 5, 6}));
}

// The sides that are allowed, one pixel wide.
TEST(ImageFile, LongRows) {
  Result<Image> wide = DecodeImage(MakePng(32768, 1, 8, 0, {Bytes(32768, 9)}));
  ASSERT_TRUE(wide.ok()) << wide.status().message();
  EXPECT_EQ(wide->rgb, Bytes(3 * 32768, 9));
  Result<Image> high = DecodeImage(MakePng(1, 32768, 1, 0, std::vector<Bytes>(32768, {0x80})));
  ASSERT_TRUE(high.ok()) << high.status().message();
  EXPECT_EQ(high->rgb, Bytes(3 * 32768, 255));
}

TEST(ImageFile, LabelsKeepTheirValues) {
  const TemporaryFolder folder;
  WriteAll(folder / "8.png", MakePng(3, 2, 8, 0, {{0, 1, 2}, {253, 254, 255}}));
  WriteAll(folder / "16.png", MakePng(2, 2, 16, 0, {{0, 0, 1, 0}, {0x12, 0x34, 0xFF, 0xFF}}));
  Result<LabelMap> eight = ReadLabels(folder / "8.png"), sixteen = ReadLabels(folder / "16.png");
  ASSERT_TRUE(eight.ok() && sixteen.ok());
  EXPECT_EQ(eight->size, (ImageSize{3, 2}));
  EXPECT_EQ(eight->labels, (std::vector<uint16_t>{0, 1, 2, 253, 254, 255}));
  EXPECT_EQ(sixteen->labels, (std::vector<uint16_t>{0, 256, 0x1234, 0xFFFF}));

  WriteAll(folder / "rgb.png", MakePng(1, 1, 8, 2, {{1, 2, 3}}));
  WriteAll(folder / "low.png", MakePng(8, 1, 1, 0, {{0xA5}}));
  WriteAll(folder / "a.jpg", MakeJpeg(Gradient(8, 8), 8, 8));
  for (const char* name : {"rgb.png", "low.png", "a.jpg"}) {
    ExpectFailure(ReadLabels(folder / name).status(), Code::kUnsupported, "8 or 16 bits");
  }
}

TEST(ImageFile, JpegFollowsItsPixels) {
  const Bytes rgb = Gradient(64, 48);
  Result<Image> image = DecodeImage(MakeJpeg(rgb, 64, 48));
  ASSERT_TRUE(image.ok()) << image.status().message();
  EXPECT_EQ(image->size, (ImageSize{64, 48}));
  for (size_t i = 0; i < rgb.size(); i += 3) {
    ASSERT_NEAR(image->rgb[i], rgb[i], 40);
    ASSERT_NEAR(image->rgb[i + 1], rgb[i + 1], 40);
  }
}

// All eight orientations, by where the marked corner of the stored picture must appear.
TEST(ImageFile, ExifOrientationIsApplied) {
  const uint32_t width = 48, height = 32;
  Bytes rgb(3 * width * height, 20);
  for (uint32_t y = 0; y < 16; ++y) {
    for (uint32_t x = 0; x < 16; ++x) rgb[3 * (y * width + x)] = 250;  // red, top left as stored
  }
  for (uint32_t y = 0; y < 16; ++y) {
    for (uint32_t x = 32; x < 48; ++x) rgb[3 * (y * width + x) + 2] = 250;  // blue, top right as stored
  }
  const Bytes jpeg = MakeJpeg(rgb, width, height);
  const struct {
    int orientation;
    bool red_left, red_top, blue_left, blue_top, turned;
  } cases[] = {{1, true, true, false, true, false},   {2, false, true, true, true, false},
               {3, false, false, true, false, false}, {4, true, false, false, false, false},
               {5, true, true, true, false, true},    {6, false, true, false, false, true},
               {7, false, false, false, true, true},  {8, true, false, true, true, true}};
  for (const auto& c : cases) {
    for (bool little : {false, true}) {
      Result<Image> image = DecodeImage(WithOrientation(jpeg, c.orientation, little, 3));
      ASSERT_TRUE(image.ok()) << image.status().message();
      const ImageSize size = image->size;
      EXPECT_EQ(size, c.turned ? (ImageSize{height, width}) : (ImageSize{width, height}));
      const auto at = [&](bool left, bool top, int channel) {
        const uint32_t x = left ? 6 : size.width - 7, y = top ? 6 : size.height - 7;
        return int{image->rgb[3 * (y * size.width + x) + static_cast<uint32_t>(channel)]};
      };
      EXPECT_GT(at(c.red_left, c.red_top, 0), 150) << c.orientation;
      EXPECT_GT(at(c.blue_left, c.blue_top, 2), 150) << c.orientation;
    }
  }
}

TEST(ImageFile, UnreadableExifCountsAsNone) {
  const Bytes jpeg = MakeJpeg(Gradient(16, 8), 16, 8);
  const Bytes turned = WithOrientation(jpeg, 6, true, 0);
  for (int value : {0, 9, 65535}) {
    Result<JpegHeader> header = InspectJpeg(WithOrientation(jpeg, value, false, 0));
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->orientation, 1);
  }
  // Every byte of the EXIF block set to extremes: a header comes out, with an orientation in range.
  for (size_t at = 6; at < 2 + 10 + 8 + 2 + 12; ++at) {
    for (uint8_t value : {0x00, 0x7F, 0x80, 0xFF}) {
      Bytes bent = turned;
      bent[at] = value;
      Result<JpegHeader> header = InspectJpeg(bent);
      ASSERT_TRUE(header.ok()) << header.status().message();
      ASSERT_GE(header->orientation, 1);
      ASSERT_LE(header->orientation, 8);
    }
  }
}

TEST(BadImages, EveryTruncationIsFound) {
  const Bytes png = MakePng(5, 4, 8, 2, {Bytes(15, 1), Bytes(15, 2), Bytes(15, 3), Bytes(15, 4)});
  const Bytes jpeg = WithOrientation(MakeJpeg(Gradient(24, 16), 24, 16), 3, true, 1);
  ASSERT_TRUE(DecodeImage(png).ok());
  ASSERT_TRUE(DecodeImage(jpeg).ok());
  for (const Bytes& whole : {png, jpeg}) {
    for (size_t n = 0; n < whole.size(); ++n) {
      ExpectFailure(DecodeImage(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n))).status(),
                    Code::kDamaged, n == 0 ? "empty" : "truncated");
    }
  }
}

TEST(BadImages, EveryFlippedBitOfAPngIsFound) {
  const Bytes png = MakePng(4, 2, 8, 0, {{1, 2, 3, 4}, {5, 6, 7, 8}});
  for (size_t bit = 0; bit < 8 * png.size(); ++bit) {
    Bytes bent = png;
    bent[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(DecodeImage(bent).ok()) << bit;
  }
}

// Damage behind correct checksums reaches the decoder: an error or an image of the declared size, never more.
TEST(BadImages, DamagedDataNeverEscapes) {
  std::mt19937 random(1);
  const Bytes jpeg = MakeJpeg(Gradient(40, 33), 40, 33);
  Bytes raw;
  for (int y = 0; y < 9; ++y) {
    raw.push_back(static_cast<uint8_t>(y % 5));
    for (int x = 0; x < 33; ++x) raw.push_back(static_cast<uint8_t>(x * y));
  }
  const Bytes stream = Deflated(raw);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    Bytes bent = i % 2 ? jpeg : stream;
    for (uint32_t flips = 1 + random() % 4; flips > 0; --flips) {
      bent[random() % bent.size()] = static_cast<uint8_t>(random());
    }
    if (i % 2 == 0) {
      Bytes png = MakePng(11, 9, 8, 2, {});
      png.resize(8 + 25);  // signature and IHDR
      AppendChunk(png, "IDAT", bent);
      AppendChunk(png, "IEND", {});
      bent = png;
    }
    Result<Image> image = DecodeImage(bent);
    if (image.ok()) {
      ++accepted;
      ASSERT_EQ(image->rgb.size(), size_t{3} * image->size.width * image->size.height);
    } else {
      ASSERT_EQ(image.status().message().find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(accepted, 0);
}

TEST(BadImages, HugeDeclaredSizes) {
  const struct {
    uint32_t width, height;
    Code code;
    const char* word;
  } cases[] = {{0, 5, Code::kDamaged, "no pixels"},           {5, 0, Code::kDamaged, "no pixels"},
               {32769, 1, Code::kResource, "32768 per side"}, {1, 0xFFFFFFFF, Code::kResource, "32768 per side"},
               {32768, 32768, Code::kDamaged, "cannot hold"}, {2000, 1, Code::kDamaged, "decode"}};
  for (const auto& c : cases) {
    ExpectFailure(DecodeImage(MakePng(c.width, c.height, 8, 2, {{1, 2, 3}})).status(), c.code, c.word);
  }
  Bytes jpeg = MakeJpeg(Gradient(8, 8), 8, 8);
  const auto height = jpeg.begin() + static_cast<ptrdiff_t>(FindMarker(jpeg, 0xFFC0) + 5);
  std::fill_n(height, 4, 0xFF);  // 65535 x 65535
  ExpectFailure(DecodeImage(jpeg).status(), Code::kResource, "32768 per side");
  std::fill_n(height, 4, 0x70);  // 28784 x 28784
  ExpectFailure(DecodeImage(jpeg).status(), Code::kResource, "decoding it takes 2485555968 bytes");
  std::fill_n(height, 2, 0);
  ExpectFailure(DecodeImage(jpeg).status(), Code::kDamaged, "no pixels");
}

// A table of more than 256 symbols would make stb_image 2.27 write past its arrays; so would one that leaves its
// segment.
TEST(BadImages, HuffmanTablesThatTheDecoderCannotHold) {
  const Bytes jpeg = MakeJpeg(Gradient(8, 8), 8, 8), marker = {0xFF, 0xC4};
  const auto table = std::search(jpeg.begin(), jpeg.end(), marker.begin(), marker.end()) - jpeg.begin();
  for (int extra : {1, 14, 15}) {
    Bytes bent(jpeg.begin(), jpeg.begin() + table);
    Bytes counts = {0};
    for (int i = 0; i < 16; ++i) counts.push_back(static_cast<uint8_t>(i < extra ? 255 : 2));
    size_t symbols = 0;
    for (size_t i = 1; i < counts.size(); ++i) symbols += counts[i];
    const size_t length = 2 + 17 + symbols;
    for (size_t v : {size_t{0xFF}, size_t{0xC4}, length >> 8, length & 255}) bent.push_back(static_cast<uint8_t>(v));
    bent.insert(bent.end(), counts.begin(), counts.end());
    bent.insert(bent.end(), symbols, 1);
    bent.insert(bent.end(), jpeg.begin() + table, jpeg.end());
    ExpectFailure(DecodeImage(bent).status(), Code::kDamaged, "Huffman table");
  }
  Bytes overlapping = jpeg;
  overlapping[static_cast<size_t>(table) + 5] = 200;  // more symbols than the segment holds
  ExpectFailure(DecodeImage(overlapping).status(), Code::kDamaged, "Huffman table");
}

TEST(BadImages, WrongKinds) {
  const Bytes gif = {'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0, 0, 0, 0}, text = {'h', 'e', 'l', 'l', 'o'};
  ExpectFailure(DecodeImage(gif).status(), Code::kUnsupported, "a GIF picture; this build reads PNG, JPEG");
  ExpectFailure(DecodeImage(text).status(), Code::kUnsupported, "no picture of a known format");
  ExpectFailure(DecodeImage(MakePng(1, 1, 8, 5, {{1}})).status(), Code::kDamaged, "colour type 5");
  ExpectFailure(DecodeImage(MakePng(1, 1, 3, 0, {{1}})).status(), Code::kDamaged, "3 bits");
  Bytes no_data = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  AppendChunk(no_data, "IHDR", Bytes{0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0});
  AppendChunk(no_data, "IEND", {});
  ExpectFailure(DecodeImage(no_data).status(), Code::kDamaged, "IDAT");
  ExpectFailure(DecodeImage(Bytes{0xFF, 0xD8, 0xFF, 0xD9}).status(), Code::kDamaged, "without image data");
  Bytes lossless = MakeJpeg(Gradient(8, 8), 8, 8);
  const Bytes frame = {0xFF, 0xC0};
  *(std::search(lossless.begin(), lossless.end(), frame.begin(), frame.end()) + 1) = 0xC3;
  ExpectFailure(DecodeImage(lossless).status(), Code::kUnsupported, "0xc3");
}

TEST(BadImages, PathsThatCannotBeReadOrWritten) {
  const TemporaryFolder folder;
  ExpectFailure(ReadImage(folder / "none.png").status(), Code::kIo, "none.png: cannot open: No such file");
  ExpectFailure(ReadImage(folder.path()).status(), Code::kIo, "Is a directory");
  WriteAll(folder / "empty.jpg", {});
  ExpectFailure(ReadImage(folder / "empty.jpg").status(), Code::kDamaged, "empty.jpg: the file is empty");
  ExpectFailure(ReadLabels(folder / "empty.jpg").status(), Code::kDamaged, "empty.jpg: the file is empty");
  const uint8_t pixel[3] = {};
  ExpectFailure(WritePicture(folder / "no/such/a.png", pixel, {1, 1}), Code::kIo, "No such file");
  ExpectFailure(WritePicture(folder.path(), pixel, {1, 1}), Code::kIo, "not a regular file");
  ExpectFailure(WritePicture(folder / "a.png", pixel, {0, 1}), Code::kResource, "0 x 1");
  EXPECT_EQ(folder.Count(), 1u);
}

// The bundled photo, decoded and resized as an image of a user is: Pillow's bytes (tests/image/make_goldens.py).
TEST(Photo, ResizedAsByPillow) {
  Result<Image> photo = ReadImage(kPhoto);
  ASSERT_TRUE(photo.ok()) << photo.status().message();
  std::ifstream file(INTSAM_SOURCE_DIR "/tests/image/resize_goldens.txt");
  int checked = 0;
  std::string line, kind, name, expected;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    ImageSize from, to;
    words >> kind >> name >> from.width >> from.height >> to.width >> to.height >> expected;
    if (kind != "photo") continue;
    EXPECT_EQ(photo->size, from);
    EXPECT_EQ(ResizedSize(from, to.width), to);
    Bytes out, scratch;
    ResizeToRgb(photo->rgb.data(), from, size_t{3} * from.width, PixelFormat::kRgb, to, out, scratch);
    EXPECT_EQ(ToHex(Sha256Of(out.data(), out.size())), expected);
    ++checked;
  }
  EXPECT_EQ(checked, 2);
}

}  // namespace
}  // namespace intsam::internal
