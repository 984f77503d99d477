// WebP, TIFF, HEIC and AVIF, and the names by which everything else is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "apps/common/photo/photo_format.h"
#include "apps/common/photo/photo_reader.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/photo_encoders.h"

namespace intsam::internal {
namespace {

bool Reads(const std::string& format) {
  const auto formats = BuiltPhotoFormats();
  return std::any_of(formats.begin(), formats.end(), [&](const PhotoFormat& f) { return f.name == format; });
}

Bytes RgbOf(const Bytes& file, ImageSize expected) {
  Result<Image> image = DecodeImage(file);
  EXPECT_TRUE(image.ok()) << image.status().message();
  if (!image.ok()) return {};
  EXPECT_EQ(image->size, expected);
  return image->rgb;
}

// A file may lose its end at any byte: refused, or (where what is lost is padding) the same picture.
void ExpectEveryTruncationIsFound(const Bytes& file, size_t padding) {
  const Result<Image> whole = DecodeImage(file);
  ASSERT_TRUE(whole.ok()) << whole.status().message();
  for (size_t n = 0; n < file.size(); n += n < 64 ? 1 : 7) {
    const Result<Image> image = DecodeImage(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(n)));
    if (n + padding >= file.size() && image.ok()) {
      EXPECT_EQ(image.value().rgb, whole.value().rgb);
    } else {
      EXPECT_FALSE(image.ok()) << n;
    }
  }
}

// Damage anywhere: an error of one line, or a picture of the size that the file now says.
void ExpectDamageNeverEscapes(const Bytes& file, int rounds) {
  std::mt19937 random(1);
  for (int i = 0; i < rounds; ++i) {
    Bytes bent = file;
    for (uint32_t flips = 1 + random() % 4; flips > 0; --flips)
      bent[random() % bent.size()] = static_cast<uint8_t>(random());
    const Result<Image> image = DecodeImage(bent);
    if (image.ok()) {
      ASSERT_EQ(image.value().rgb.size(), size_t{3} * image.value().size.width * image.value().size.height);
    } else {
      ASSERT_FALSE(image.status().message().empty());
      ASSERT_EQ(image.status().message().find('\n'), std::string::npos);
    }
  }
}

Bytes Words(const std::vector<uint16_t>& values, bool little) {
  Bytes bytes;
  for (uint16_t v : values) {
    const auto low = static_cast<uint8_t>(v), high = static_cast<uint8_t>(v >> 8);
    bytes.insert(bytes.end(), {little ? low : high, little ? high : low});
  }
  return bytes;
}

class Webp : public testing::Test {
 protected:
  void SetUp() override {
    if (!Reads("WebP")) GTEST_SKIP() << "this build reads no WebP";
  }
  // The header of an extended file: flags, size of the canvas.
  static Bytes Extended(uint8_t flags, ImageSize canvas) {
    const uint32_t w = canvas.width - 1, h = canvas.height - 1;
    return {flags,           0, 0, 0, uint8_t(w), uint8_t(w >> 8), uint8_t(w >> 16), uint8_t(h), uint8_t(h >> 8),
            uint8_t(h >> 16)};
  }
};

TEST_F(Webp, LosslessPixelsAreExact) {
  const Bytes rgb = Gradient(37, 21);
  EXPECT_EQ(RgbOf(EncodeWebp(rgb, {37, 21}, 3), {37, 21}), rgb);
  Bytes rgba;
  for (size_t i = 0; i < rgb.size(); i += 3) rgba.insert(rgba.end(), {rgb[i], rgb[i + 1], rgb[i + 2], uint8_t(i)});
  EXPECT_EQ(RgbOf(EncodeWebp(rgba, {37, 21}, 4), {37, 21}), rgb);
}

TEST_F(Webp, OrientationIsApplied) {
  const Bytes rgb = {1, 2, 3, 4, 5, 6};  // two pixels side by side
  const Bytes chunk = WebpChunk(EncodeWebp(rgb, {2, 1}, 3));
  const Bytes picture(chunk.begin() + 8, chunk.end());
  constexpr uint8_t kExif = 8;
  for (bool little : {false, true}) {
    const Bytes file = MakeWebp({{"VP8X", Extended(kExif, {2, 1})},
                                 {std::string(chunk.begin(), chunk.begin() + 4), picture},
                                 {"EXIF", ExifWithOrientation(8, little, 2)}});
    EXPECT_EQ(RgbOf(file, {1, 2}), (Bytes{4, 5, 6, 1, 2, 3}));
  }
}

TEST_F(Webp, AnAnimationIsItsFirstFrame) {
  const Bytes frame = WebpChunk(EncodeWebp({9, 8, 7}, {1, 1}, 3)), second = WebpChunk(EncodeWebp({1, 1, 1}, {1, 1}, 3));
  constexpr uint8_t kAnimation = 2;
  // Offset (2, 2) in steps of two, size 1 x 1, 100 ms.
  Bytes first = {1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0}, next = first;
  first.insert(first.end(), frame.begin(), frame.end());
  next.insert(next.end(), second.begin(), second.end());
  const Bytes file =
      MakeWebp({{"VP8X", Extended(kAnimation, {3, 3})}, {"ANIM", Bytes(6, 0)}, {"ANMF", first}, {"ANMF", next}});
  Bytes expected(27, 0);
  expected[24] = 9, expected[25] = 8, expected[26] = 7;
  EXPECT_EQ(RgbOf(file, {3, 3}), expected);
  const Result<Mask> mask = DecodeMask(file);
  ASSERT_TRUE(mask.ok());
  EXPECT_EQ(mask.value().inside, (Bytes{0, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST_F(Webp, BadFiles) {
  const Bytes file = EncodeWebp(Gradient(40, 30), {40, 30}, 3);
  ExpectEveryTruncationIsFound(file, 0);
  ExpectDamageNeverEscapes(file, 1000);
  ExpectFailure(DecodeImage(Bytes(file.begin(), file.begin() + 40)).status(), Code::kDamaged, "WebP truncated");
}

class TiffFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (!Reads("TIFF")) GTEST_SKIP() << "this build reads no TIFF";
  }
};

TEST_F(TiffFiles, GrayPaletteAndRgbInBothByteOrders) {
  for (bool little : {false, true}) {
    TiffPicture rgb = {{2, 2}, 8, 3, 2, little, 1, {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}}, {}};
    EXPECT_EQ(RgbOf(MakeTiff(rgb), {2, 2}), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
    const TiffPicture gray = {{3, 1}, 8, 1, 1, little, 1, {{0, 100, 255}}, {}};
    EXPECT_EQ(RgbOf(MakeTiff(gray), {3, 1}), (Bytes{0, 0, 0, 100, 100, 100, 255, 255, 255}));
    const TiffPicture white_is_zero = {{3, 1}, 8, 1, 0, little, 1, {{0, 100, 255}}, {}};
    EXPECT_EQ(RgbOf(MakeTiff(white_is_zero), {3, 1}), (Bytes{255, 255, 255, 155, 155, 155, 0, 0, 0}));
    const TiffPicture bilevel = {{4, 1}, 1, 1, 1, little, 1, {{0xA0}}, {}};
    EXPECT_EQ(RgbOf(MakeTiff(bilevel), {4, 1}), (Bytes{255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0}));
    std::vector<uint32_t> colours(3 * 4);
    colours[1] = 0x1234, colours[4 + 1] = 0x5678, colours[8 + 1] = 0x9ABC;
    const TiffPicture palette = {{2, 1}, 2, 1, 3, little, 1, {{0x40}}, {{320, 3, colours}}};
    EXPECT_EQ(RgbOf(MakeTiff(palette), {2, 1}), (Bytes{0x12, 0x56, 0x9A, 0, 0, 0}));
  }
}

TEST_F(TiffFiles, DeepSamplesKeepTheirUpperBitsOrAreStretched) {
  for (bool little : {false, true}) {
    const TiffPicture deep = {{3, 1}, 16, 1, 1, little, 1, {Words({0, 0x1234, 0xFFFF}, little)}, {}};
    EXPECT_EQ(RgbOf(MakeTiff(deep), {3, 1}), (Bytes{0, 0, 0, 0x12, 0x12, 0x12, 255, 255, 255}));
    const TiffPicture dark = {{3, 1}, 16, 1, 1, little, 1, {Words({1000, 2000, 3000}, little)}, {}};
    Result<Image> plain = DecodeImage(MakeTiff(dark)), stretched = DecodeImage(MakeTiff(dark), {.stretch = true});
    ASSERT_TRUE(plain.ok() && stretched.ok());
    EXPECT_EQ(plain->rgb, (Bytes{3, 3, 3, 7, 7, 7, 11, 11, 11}));
    ASSERT_EQ(plain->notes.size(), 1u);
    EXPECT_NE(plain->notes[0].find("low 12 of 16 bits"), std::string::npos) << plain->notes[0];
    EXPECT_EQ(stretched->rgb, (Bytes{0, 0, 0, 128, 128, 128, 255, 255, 255}));
    EXPECT_TRUE(stretched->notes.empty());
  }
  const TiffPicture packed = {{2, 1}, 12, 1, 1, true, 1, {{0xFF, 0xF1, 0x23}}, {}};
  EXPECT_EQ(RgbOf(MakeTiff(packed), {2, 1}), (Bytes{255, 255, 255, 0x12, 0x12, 0x12}));
}

TEST_F(TiffFiles, StripsTilesAndPlanes) {
  TiffPicture strips = {{2, 3}, 8, 1, 1, true, 2, {{1, 2, 3, 4}, {5, 6}}, {}};
  EXPECT_EQ(RgbOf(MakeTiff(strips), {2, 3}), (Bytes{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6}));
  constexpr uint16_t kPlanar = 284, kTileWidth = 322, kTileLength = 323, kTileOffsets = 324, kTileBytes = 325;
  const TiffPicture planes = {
      {2, 2}, 8, 3, 2, true, 2, {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}}, {{kPlanar, 3, {2}}}};
  EXPECT_EQ(RgbOf(MakeTiff(planes), {2, 2}), (Bytes{1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12}));
  // Two tiles of 16 x 16 beside each other for a picture of 20 x 3; strips with the tiles' bytes carry them.
  Bytes left(256, 0), right(256, 0), expected;
  for (size_t y = 0; y < 3; ++y) {
    for (size_t x = 0; x < 20; ++x) {
      const auto v = static_cast<uint8_t>(20 * y + x);
      (x < 16 ? left[16 * y + x] : right[16 * y + x - 16]) = v;
      expected.insert(expected.end(), {v, v, v});
    }
  }
  const TiffPicture tiles = {
      {20, 3},
      8,
      1,
      1,
      true,
      16,
      {left, right},
      {{kTileWidth, 3, {16}}, {kTileLength, 3, {16}}, {kTileOffsets, 4, {8, 8 + 256}}, {kTileBytes, 4, {256, 256}}}};
  EXPECT_EQ(RgbOf(MakeTiff(tiles), {20, 3}), expected);
}

TEST_F(TiffFiles, OrientationAlphaAndOtherColours) {
  constexpr uint16_t kOrientation = 274, kExtra = 338;
  const TiffPicture turned = {{2, 1}, 8, 1, 1, true, 1, {{1, 2}}, {{kOrientation, 3, {6}}}};
  EXPECT_EQ(RgbOf(MakeTiff(turned), {1, 2}), (Bytes{1, 1, 1, 2, 2, 2}));
  const TiffPicture alpha = {{2, 1}, 8, 4, 2, true, 1, {{1, 2, 3, 0, 4, 5, 6, 7}}, {{kExtra, 3, {2}}}};
  EXPECT_EQ(RgbOf(MakeTiff(alpha), {2, 1}), (Bytes{1, 2, 3, 4, 5, 6}));
  const Result<Mask> mask = DecodeMask(MakeTiff(alpha));
  ASSERT_TRUE(mask.ok());
  EXPECT_EQ(mask.value().inside, (Bytes{0, 1}));
  // CMYK in two strips and upside down: no ink is white, all black ink black.
  const TiffPicture cmyk = {
      {1, 3}, 8, 4, 5, true, 2, {{0, 0, 0, 0, 0, 0, 0, 255}, {255, 255, 0, 0}}, {{kOrientation, 3, {4}}}};
  EXPECT_EQ(RgbOf(MakeTiff(cmyk), {1, 3}), (Bytes{0, 0, 255, 0, 0, 0, 255, 255, 255}));
}

TEST_F(TiffFiles, Refusals) {
  constexpr uint16_t kFormat = 339, kDng = 50706;
  const TiffPicture reals = {{1, 1}, 32, 1, 1, true, 1, {{0, 0, 0, 0}}, {{kFormat, 3, {3}}}};
  ExpectFailure(DecodeImage(MakeTiff(reals)).status(), Code::kUnsupported, "32-bit floating-point");
  const TiffPicture dng = {{1, 1}, 8, 1, 1, true, 1, {{7}}, {{kDng, 1, {1, 4, 0, 0}}}};
  ExpectFailure(DecodeImage(MakeTiff(dng)).status(), Code::kUnsupported, "raw file");
  const TiffPicture mosaic = {{1, 1}, 16, 1, 32803, true, 1, {{7, 7}}, {}};
  ExpectFailure(DecodeImage(MakeTiff(mosaic)).status(), Code::kUnsupported, "raw file");
  for (const ImageSize size : {ImageSize{40000, 1}, ImageSize{1, 40000}}) {
    const TiffPicture wide = {size, 8, 1, 1, true, 1, {{7}}, {}};
    ExpectFailure(DecodeImage(MakeTiff(wide)).status(), Code::kResource, "32768 per side");
  }
  const TiffPicture large = {{30000, 30000}, 8, 3, 2, true, 30000, {{7}}, {}};
  ExpectFailure(DecodeImage(MakeTiff(large)).status(), Code::kResource, "2700090000 bytes");
  const TiffPicture cut = {{100, 100}, 8, 3, 2, true, 100, {Bytes(100, 1)}, {}};
  ExpectFailure(DecodeImage(MakeTiff(cut)).status(), Code::kDamaged, "cannot decode");
  const TiffPicture no_map = {{1, 1}, 4, 1, 3, true, 1, {{7}}, {}};
  ExpectFailure(DecodeImage(MakeTiff(no_map)).status(), Code::kDamaged, "TIFF");
  constexpr uint16_t kInkNames = 333;  // libtiff complains of these in two lines
  const TiffPicture inks = {{1, 1}, 8, 4, 5, true, 1, {{1, 2, 3, 4}}, {{kInkNames, 2, {'a', 0}}}};
  const Result<Image> result = DecodeImage(MakeTiff(inks));
  if (!result.ok()) ExpectFailure(result.status(), Code::kDamaged, "InkNames");
}

TEST_F(TiffFiles, Damage) {
  const TiffPicture picture = {{16, 8}, 8, 3, 2, false, 3, {Bytes(144, 1), Bytes(144, 2), Bytes(96, 3)}, {}};
  const Bytes file = MakeTiff(picture);
  ExpectEveryTruncationIsFound(file, 4);  // of the next directory's offset
  ExpectDamageNeverEscapes(file, 3000);
}

TEST(HeifFiles, FollowTheirPixels) {
  const ImageSize size = {64, 48};
  const Bytes rgb = Gradient(size.width, size.height);
  int read = 0;
  for (bool avif : {false, true}) {
    const Bytes file = EncodeHeif(rgb, size, avif);
    if (file.empty() || !Reads(avif ? "AVIF" : "HEIC")) continue;
    ++read;
    const Bytes decoded = RgbOf(file, size);
    ASSERT_EQ(decoded.size(), rgb.size());
    uint64_t off = 0;
    for (size_t i = 0; i < rgb.size(); ++i) off += static_cast<uint64_t>(std::abs(decoded[i] - rgb[i]));
    EXPECT_LT(off, 6 * rgb.size()) << (avif ? "AVIF" : "HEIC");
    for (size_t n = 12; n < file.size(); n += 97)
      EXPECT_FALSE(DecodeImage(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(n))).ok()) << n;
    ExpectDamageNeverEscapes(file, 200);
  }
  if (read == 0) GTEST_SKIP() << "this build reads or writes neither HEIC nor AVIF";
}

TEST(Refusals, NameWhatTheFileIs) {
  const std::string pad(200, '\0');
  const std::pair<std::string, const char*> kinds[] = {
      {"GIF89a" + pad, "a GIF picture"},
      {std::string("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", 18) + pad, "a BMP picture"},
      {"P6\n1 1\n255\nabc", "a PPM, PGM or PBM picture"},
      {"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "an SVG drawing"},
      {"\n<!DOCTYPE HTML><html><body>404</body></html>", "an HTML page"},
      {"%PDF-1.7\n", "a PDF document"},
      {std::string("II*\0\x10\0\0\0CR\2\0", 12) + pad, "a camera's raw file (CR2)"},
      {std::string("\0\0\0\x18"
                   "ftypcrx ",
                   12) +
           pad,
       "a camera's raw file (CR3)"},
      {"FUJIFILMCCD-RAW 0201" + pad, "a camera's raw file (RAF)"},
      {std::string("\0\0\0\x18"
                   "ftypmp42",
                   12) +
           pad,
       "a video"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer"},
      {std::string("PK\3\4", 4) + pad, "a zip archive"},
      {std::string("\x93NUMPY\1\0", 8) + pad, "a NumPy array"},
      {std::string(128, '\0') + "DICM" + pad, "a DICOM file"},
      {"hello", "no picture of a known format"},
  };
  for (const auto& [text, name] : kinds) {
    const Bytes file(text.begin(), text.end());
    const Status status = DecodeImage(file).status();
    ExpectFailure(status, Code::kUnsupported, name);
    ExpectFailure(status, Code::kUnsupported, "this build reads PNG, JPEG");
    EXPECT_EQ(DecodeMask(file).status().message(), status.message());
  }
  const std::pair<std::string, const char*> optional[] = {
      {"RIFF\x10" + std::string(3, '\0') + "WEBPVP8 ", "WebP"},
      {std::string("II*\0", 4) + pad, "TIFF"},
      {std::string("\0\0\0\x18"
                   "ftypheic",
                   12) +
           pad,
       "HEIC"},
      {std::string("\0\0\0\x18"
                   "ftypavif",
                   12) +
           pad,
       "AVIF"},
  };
  for (const auto& [text, name] : optional) {
    const Status status = DecodeImage(Bytes(text.begin(), text.end())).status();
    if (Reads(name)) {
      // libheif does not tell files that end behind their brand from those of a brand it does not know.
      EXPECT_TRUE(status.code() == Code::kDamaged || status.code() == Code::kUnsupported) << status.message();
    } else {
      ExpectFailure(status, Code::kUnsupported, std::string(name) + " picture; this build reads PNG, JPEG");
    }
  }
}

TEST(Formats, AreNamedWithTheirLibraries) {
  EXPECT_EQ(PhotoFormats().rfind("PNG, JPEG", 0), 0u);
  for (const PhotoFormat& format : BuiltPhotoFormats()) {
    EXPECT_NE(PhotoDecoders().find(std::string(format.name) + " (" + format.library() + ")"), std::string::npos);
  }
}

}  // namespace
}  // namespace intsam::internal
