// JPEG: what libjpeg and Pillow read is read, what has no end of work or no data is refused.
#include <gtest/gtest.h>

#include <algorithm>

#include "apps/common/photo/containers.h"
#include "apps/common/photo/decoders.h"
#include "apps/common/photo/photo_limits.h"
#include "apps/common/photo/photo_reader.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/photo_encoders.h"

namespace intsam::internal {
namespace {

Bytes Rocket() { return ReadAll(INTSAM_SOURCE_DIR "/models/photos/rocket.jpg"); }

Image Decoded(const Bytes& file) {
  Result<Image> image = DecodeImage(file);
  EXPECT_TRUE(image.ok()) << image.status().message();
  return image.ok() ? std::move(image).value() : Image();
}

Image ByStb(DecodeFunction decode, const Bytes& file) {
  RgbSink sink(nullptr);
  const Status status = decode(file, sink);
  EXPECT_TRUE(status.ok()) << status.message();
  return sink.Take();
}

int LargestDifference(const Bytes& a, const Bytes& b) {
  EXPECT_EQ(a.size(), b.size());
  int largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

Bytes Without(const Bytes& jpeg, uint16_t marker) {  // every segment of that marker
  Bytes out = {0xFF, 0xD8};
  for (size_t at = 2; at + 4 <= jpeg.size();) {
    const size_t length = size_t{2} + jpeg[at + 2] * 256u + jpeg[at + 3];
    if (jpeg[at + 1] == 0xDA) {
      out.insert(out.end(), jpeg.begin() + static_cast<ptrdiff_t>(at), jpeg.end());
      break;
    }
    if (jpeg[at + 1] != (marker & 255))
      out.insert(out.end(), jpeg.begin() + static_cast<ptrdiff_t>(at),
                 jpeg.begin() + static_cast<ptrdiff_t>(at + length));
    at += length;
  }
  return out;
}

// A progressive picture of one component whose scans cost ten bytes each.
Bytes ManyScans(uint16_t side, int scans) {
  Bytes jpeg = {0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0};
  jpeg.insert(jpeg.end(), 64, 1);
  const uint8_t high = static_cast<uint8_t>(side >> 8), low = static_cast<uint8_t>(side);
  jpeg.insert(jpeg.end(), {0xFF, 0xC2, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0});
  for (uint8_t table : {0x00, 0x10}) {
    jpeg.insert(jpeg.end(), {0xFF, 0xC4, 0, 20, table, 1});
    jpeg.insert(jpeg.end(), 16, 0);
  }
  jpeg.insert(jpeg.end(), {0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0});
  for (int i = 1; i < scans; ++i) jpeg.insert(jpeg.end(), {0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 63, 0});
  jpeg.insert(jpeg.end(), {0xFF, 0xD9});
  return jpeg;
}

// A picture with bytes before its end, and more behind it.
Bytes WithSurplus(const Bytes& jpeg, const Bytes& surplus) {
  Bytes file(jpeg.begin(), jpeg.end() - 2);
  file.insert(file.end(), surplus.begin(), surplus.end());
  file.insert(file.end(), {0xFF, 0xD9, 1, 2, 3});
  return file;
}

// Drones write zeros, stuffed bytes and padding between the scan and the end of the image.
TEST(Jpeg, SurplusBytesChangeNothing) {
  Bytes drone(16, 0);
  drone.insert(drone.end(), {0xFF, 0x00}), drone.insert(drone.end(), 16, 0);
  // A Huffman table of 4080 symbols, for which no decoder has room.
  Bytes bad_table = {0xFF, 0xC4, 0, 19, 0};
  bad_table.insert(bad_table.end(), 16, 0xFF);
  const Bytes surplus[] = {Bytes(32, 0),
                           Bytes(3000, 0xFF),
                           drone,
                           bad_table,
                           {0xFF, 0x00, 0x12, 0xFF, 0x00},
                           {0xFF, 0xC0, 0x00, 0x01, 0xFF, 0x05, 0xFF, 0xE1, 0xFF, 0xFF, 0x00}};
  const Bytes rocket = Rocket();
  std::vector<Bytes> files = {rocket, rocket};
  files[0].insert(files[0].end(), rocket.begin(), rocket.end());  // pictures behind the picture, as in MPO files
  files[1].insert(files[1].begin() + 2, 16, 0);                   // between segments
  for (const Bytes& bytes : surplus) files.push_back(WithSurplus(rocket, bytes));
  const Image plain = Decoded(rocket), by_stb = ByStb(DecodeJpegByStb, rocket);
  for (const Bytes& file : files) {
    SCOPED_TRACE(file.size() - rocket.size());
    EXPECT_TRUE(Decoded(file).rgb == plain.rgb);
    EXPECT_TRUE(ByStb(DecodeJpegByStb, file).rgb == by_stb.rgb);
  }
  // Restart markers belong to scans: stb up to 2.27 gives up on those that do not.
  const Bytes restarts = WithSurplus(rocket, {0xFF, 0xD3, 0xFF, 0xD4});
  RgbSink sink(nullptr);
  const Status status = DecodeJpegByStb(restarts, sink);
  if (status.ok()) {
    EXPECT_TRUE(sink.Take().rgb == by_stb.rgb);
  } else {
    ExpectFailure(status, Code::kDamaged, "cannot decode");
  }
}

// Several scans, each with more behind its data than stb reads.
TEST(Jpeg, SurplusBehindEveryScan) {
  const ImageSize size = {61, 45};
  const Bytes plain = EncodeJpeg(Gradient(size.width, size.height), size, {.progressive = true});
  if (plain.empty()) GTEST_SKIP() << "no libjpeg to encode with";
  Bytes padded(plain.begin(), plain.begin() + 2);
  bool scan = false;
  for (size_t at = 2, marker; at < plain.size(); at = marker + 1) {
    marker = NextMarker(plain, at);
    padded.insert(padded.end(), plain.begin() + static_cast<ptrdiff_t>(at),
                  plain.begin() + static_cast<ptrdiff_t>(marker - 1));
    if (scan) padded.insert(padded.end(), {0, 0, 0, 0, 0, 0xFF, 0, 0xFF, 0, 1});
    scan = plain[marker] == 0xDA;
    padded.insert(padded.end(), {0xFF, plain[marker]});
  }
  EXPECT_TRUE(Decoded(padded).rgb == Decoded(plain).rgb);
  EXPECT_TRUE(ByStb(DecodeJpegByStb, padded).rgb == ByStb(DecodeJpegByStb, plain).rgb);
}

// What decoders are given of a file: tables, frame and scans, byte for byte, and nothing that was skipped.
TEST(Jpeg, EssenceIsWhatWasChecked) {
  const Bytes plain = MakeJpeg(Gradient(16, 8), 16, 8);
  Bytes essence;
  ASSERT_TRUE(InspectJpeg(plain, &essence).ok());
  EXPECT_EQ(essence, plain);
  Bytes dressed = WithOrientation(plain, 6, false, 1);                                           // EXIF
  dressed.insert(dressed.begin() + 2, {7, 7, 0xFF, 0xFE, 0, 4, 'h', 'i', 0xFF, 0xF0, 0, 2, 9});  // comment, padding
  Bytes again;
  ASSERT_TRUE(InspectJpeg(WithSurplus(dressed, {0xFF, 0xC4, 0, 3, 1}), &again).ok());
  EXPECT_EQ(again, essence);
}

TEST(Jpeg, ADamagedScanIsReadWithANote) {
  if (EncodeJpeg({0}, {1, 1}, {.channels = 1}).empty()) GTEST_SKIP() << "stb_image gives no warnings";
  Bytes rocket = Rocket();
  EXPECT_TRUE(Decoded(rocket).notes.empty());
  std::fill_n(rocket.end() - 2000, 500, 0);
  const Image image = Decoded(rocket);
  ASSERT_EQ(image.notes.size(), 1u);
  EXPECT_NE(image.notes[0].find("warning"), std::string::npos) << image.notes[0];
}

TEST(Jpeg, StylesOfEncoders) {
  const ImageSize size = {61, 45};
  const Bytes rgb = Gradient(size.width, size.height);
  const Bytes plain = EncodeJpeg(rgb, size, {});
  if (plain.empty()) GTEST_SKIP() << "no libjpeg to encode with";
  const Image expected = Decoded(plain);
  EXPECT_TRUE(Decoded(EncodeJpeg(rgb, size, {.progressive = true})).rgb == expected.rgb);
  EXPECT_TRUE(Decoded(EncodeJpeg(rgb, size, {.restart_interval = 2})).rgb == expected.rgb);
  EXPECT_TRUE(Decoded(EncodeJpeg(rgb, size, {.arithmetic = true})).rgb == expected.rgb);
  const Bytes gray = Decoded(EncodeJpeg(Bytes(61 * 45, 77), size, {.channels = 1})).rgb;
  EXPECT_EQ(gray, Bytes(3 * 61 * 45, 77));
}

// Four components are CMYK, inverted as Adobe writes it, with and without Adobe's marker; YCCK needs the marker.
TEST(Jpeg, CmykWithAndWithoutMarker) {
  const ImageSize size = {16, 16};
  Bytes cmyk;
  for (int i = 0; i < 256; ++i) cmyk.insert(cmyk.end(), {200, 100, 50, 180});
  const Bytes file = EncodeJpeg(cmyk, size, {.channels = 4, .adobe_marker = false});
  if (file.empty()) GTEST_SKIP() << "no libjpeg to encode with";
  const Bytes expected = {141, 71, 35};  // of 180 / 255 each
  for (const Bytes& jpeg : {file, EncodeJpeg(cmyk, size, {.channels = 4}),
                            EncodeJpeg(cmyk, size, {.channels = 4, .ycck = true, .subsampled = false})}) {
    const Bytes rgb = Decoded(jpeg).rgb, by_stb = ByStb(DecodeJpegByStb, jpeg).rgb;
    EXPECT_LE(LargestDifference(Bytes(rgb.begin(), rgb.begin() + 3), expected), 2);
    EXPECT_LE(LargestDifference(rgb, by_stb), 2);
  }
}

TEST(Jpeg, WhatHasNoDataIsDamaged) {
  const Bytes jpeg = MakeJpeg(Gradient(16, 16), 16, 16);
  const size_t scan = FindMarker(jpeg, 0xFFDA), length = size_t{2} + jpeg[scan + 2] * 256u + jpeg[scan + 3];
  Bytes empty(jpeg.begin(), jpeg.begin() + static_cast<ptrdiff_t>(scan + length));
  empty.insert(empty.end(), {0xFF, 0xD9});
  ExpectFailure(DecodeImage(empty).status(), Code::kDamaged, "its scans are empty");
  ExpectFailure(DecodeImage(Without(jpeg, 0xFFC4)).status(), Code::kDamaged, "without a Huffman table");
  ExpectFailure(DecodeImage(Without(jpeg, 0xFFDB)).status(), Code::kDamaged, "without a quantization table");
  ExpectFailure(DecodeImage(Without(jpeg, 0xFFC0)).status(), Code::kDamaged, "before its frame header");
}

TEST(Jpeg, ScansAreBudgeted) {
  for (const auto& [side, scans] : {std::pair{9440, 60}, {9440, 20}, {30000, 2}}) {
    const Status status = DecodeImage(ManyScans(static_cast<uint16_t>(side), scans)).status();
    ExpectFailure(status, Code::kResource, "in " + std::to_string(scans) + " scans");
    ExpectFailure(status, Code::kResource, "the limit is 1500000000");
  }
  // A small picture may have as many; these have no data besides.
  ExpectFailure(DecodeImage(ManyScans(16, 500)).status(), Code::kDamaged, "its scans are empty");
  // 108 megapixels in the scans of libjpeg's progression are below the limit.
  const Bytes real = EncodeJpeg(Gradient(16, 16), {16, 16}, {.progressive = true});
  if (real.empty()) GTEST_SKIP() << "no libjpeg to encode with";
  const Result<JpegHeader> header = InspectJpeg(real);
  ASSERT_TRUE(header.ok());
  EXPECT_GE(header.value().scans, 10);
  EXPECT_TRUE(CheckScans({12000, 9000}, header.value().scans).ok());
}

// XMP comes first in many files, and an unreadable EXIF block does not hide a readable one.
TEST(Jpeg, ExifBehindOtherSegments) {
  Bytes jpeg = WithOrientation(MakeJpeg(Gradient(16, 8), 16, 8), 6, false, 1);
  const std::string xmp = "http://ns.adobe.com/xap/1.0/";
  Bytes segment = {0xFF, 0xE1, 0, static_cast<uint8_t>(xmp.size() + 3)};
  segment.insert(segment.end(), xmp.begin(), xmp.end());
  segment.push_back(0);
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  EXPECT_EQ(Decoded(jpeg).size, (ImageSize{8, 16}));
}

TEST(Stb, AgreesWithTheLibraries) {
  const Bytes rocket = Rocket();
  const Image by_library = Decoded(rocket), by_stb = ByStb(DecodeJpegByStb, rocket);
  EXPECT_EQ(by_stb.size, by_library.size);
  EXPECT_LE(LargestDifference(by_stb.rgb, by_library.rgb), 4);
  const Bytes turned = WithOrientation(MakeJpeg(Gradient(24, 16), 24, 16), 7, true, 1);
  EXPECT_EQ(ByStb(DecodeJpegByStb, turned).size, (ImageSize{16, 24}));

  const Bytes palette = WithChunk(MakePng(3, 1, 8, 3, {{0, 1, 2}}), "PLTE", {9, 8, 7, 6, 5, 4, 3, 2, 1});
  const Bytes pngs[] = {palette,
                        WithChunk(palette, "eXIf", ExifWithOrientation(5, true, 0)),
                        MakePng(8, 1, 1, 0, {{0xA5}}),
                        MakePng(2, 1, 16, 0, {{1, 2, 3, 4}}),
                        MakePng(2, 1, 16, 6, {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}),
                        MakePng(2, 2, 8, 4, {{1, 2, 3, 4}, {5, 6, 7, 8}})};
  for (const Bytes& png : pngs) {
    const Image library = Decoded(png), stb = ByStb(DecodePngByStb, png);
    EXPECT_EQ(stb.size, library.size);
    EXPECT_EQ(stb.rgb, library.rgb);
  }
}

}  // namespace
}  // namespace intsam::internal
