// What the tools write besides models: pictures, and logits as NumPy files.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/logits_npy.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/picture_encoders.h"
#include "apps/common/picture_writer.h"
#include "apps/common/score.h"
#include "tests/e2e/expect_failure.h"
#include "tests/e2e/test_files.h"

namespace intsam::internal {
namespace {

using Bytes = std::vector<uint8_t>;

std::vector<EncodePngFunction*> PngEncoders() {
  return {EncodePngByStb,
#ifdef INTSAM_HAVE_LIBPNG
          EncodePngByLibpng
#endif
  };
}

// Whatever the library, the pixels are those that were handed over, in files that are read again.
TEST(PngEncoders, KeepEveryPixel) {
  for (EncodePngFunction* encode : PngEncoders()) {
    for (const PngLayout& layout : {PngLayout{{61, 7}, 1, 8}, PngLayout{{61, 7}, 3, 8}, PngLayout{{61, 7}, 4, 8},
                                    PngLayout{{61, 7}, 1, 16}, PngLayout{{1, 1}, 1, 8}, PngLayout{{1, 300}, 3, 8}}) {
      Bytes samples(layout.row_bytes() * layout.size.height), file;
      for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<uint8_t>(i < 200 ? 7 : i * i / 11);
      uint32_t rows = 0;
      const Status status = encode(
          layout,
          [&](uint32_t y) {
            EXPECT_EQ(y, rows++);
            return &samples[y * layout.row_bytes()];
          },
          [&](const void* data, size_t size) {
            const auto* bytes = static_cast<const uint8_t*>(data);
            file.insert(file.end(), bytes, bytes + size);
            return Status();
          });
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(rows, layout.size.height);
      Result<Image> image = DecodeImage(file);
      ASSERT_TRUE(image.ok()) << image.status().message();
      ASSERT_EQ(image->size, layout.size);
      const size_t pixel_bytes = static_cast<size_t>(layout.channels * layout.bits / 8);
      for (size_t i = 0; i < image->rgb.size(); ++i) {
        const size_t channel = layout.channels == 1 ? 0 : i % 3;
        ASSERT_EQ(image->rgb[i], samples[i / 3 * pixel_bytes + channel]) << layout.channels << " " << layout.bits;
      }
      if (layout.channels != 4) continue;
      Result<Mask> opaque = DecodeMask(file);
      ASSERT_TRUE(opaque.ok());
      for (size_t i = 0; i < opaque->inside.size(); ++i) {
        const bool inside = samples[4 * i + 3] != 0 && (samples[4 * i] | samples[4 * i + 1] | samples[4 * i + 2]) != 0;
        ASSERT_EQ(opaque->inside[i], inside);
      }
    }
  }
}

// A full disk may show at any piece; its error is what the caller gets.
TEST(PngEncoders, PassTheOutputsErrorOn) {
  const PngLayout layout{{300, 300}, 3, 8};
  Bytes noise(layout.row_bytes() * layout.size.height);
  uint32_t random = 1;
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>((random = random * 1664525 + 1013904223) >> 24);
  for (EncodePngFunction* encode : PngEncoders()) {
    for (size_t room : {0, 20, 70000}) {
      size_t written = 0;
      const auto write = [&](const void*, size_t size) {
        written += size;
        return written > room ? Status(Code::kIo, "No space left") : Status();
      };
      const Status status = encode(
          layout, [&](uint32_t y) { return &noise[y * layout.row_bytes()]; }, write);
      ExpectFailure(status, Code::kIo, "No space left");
    }
  }
}

TEST(PictureWriter, Gray16KeepsEveryBit) {
  const TemporaryFolder folder;
  const ImageSize size{40, 30};
  std::vector<uint16_t> values(40 * 30);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint16_t>(i * 55);
  ASSERT_TRUE(WriteGray16Png(folder / "a.png", values.data(), size).ok());
  Result<LabelMap> map = ReadLabels(folder / "a.png");
  ASSERT_TRUE(map.ok()) << map.status().message();
  EXPECT_EQ(map->size, size);
  EXPECT_EQ(map->labels, values);
}

TEST(PictureWriter, JpegLooksLikeThePicture) {
  const TemporaryFolder folder;
  const ImageSize size{64, 48};
  Bytes rgb(3 * 64 * 48);
  for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<uint8_t>(60 + i % 3 * 50 + i / 192);
  ASSERT_TRUE(WritePicture(folder / "a.jpg", rgb.data(), size).ok());
  Result<Image> image = ReadImage(folder / "a.jpg");
  ASSERT_TRUE(image.ok()) << image.status().message();
  ASSERT_EQ(image->size, size);
  for (size_t i = 0; i < rgb.size(); ++i) EXPECT_LE(std::abs(rgb[i] - image->rgb[i]), 8) << i;
  EXPECT_EQ(folder.Count(), 1u);
}

TEST(PictureWriter, TheEndingIsTheFormat) {
  const TemporaryFolder folder;
  const Bytes rgb(3 * 64, 100);
  for (const char* name : {"a.jpeg", "a.JPG", "a.png", "a"}) {
    ASSERT_TRUE(WritePicture(folder / name, rgb.data(), {8, 8}).ok());
    const bool jpeg = ReadAll(folder / name)[0] == 0xFF;
    EXPECT_EQ(jpeg, HasEnding(name, ".jpg") || HasEnding(name, ".jpeg")) << name;
  }
  EXPECT_TRUE(HasEnding("a.PNG", ".png") && !HasEnding(".png", ".png") && !HasEnding("apng", ".png"));
}

TEST(PictureWriter, TooLargePicturesAreRefused) {
  EXPECT_TRUE(CheckPictureSize("a.png", {32768, 32768}, 1).ok());
  ExpectFailure(CheckPictureSize("a.png", {32768, 32768}, 2), Code::kResource, "a.png: cannot write");
  ExpectFailure(CheckPictureSize("a.png", {0, 5}, 3), Code::kResource, "0 x 5");
}

TEST(Score, RoundsHalfUp) {
  EXPECT_EQ(ScoreText(32768, 3), "1.000");
  EXPECT_EQ(ScoreText(30474, 2), "0.93");
  EXPECT_EQ(ScoreText(-328, 2), "-0.01");
  EXPECT_EQ(ScoreText(-10, 2), "0.00");
  EXPECT_EQ(ScoreText(33000, 4), "1.0071");
  EXPECT_EQ(ScoreText(1, 4), "0.0000");
  EXPECT_EQ(ScoreText(2, 4), "0.0001");
}

// In JSON, no number has the noise of a division by powers of ten.
TEST(Score, NumbersInJsonHaveFourDecimals) {
  for (int q15 = -40000; q15 <= 40000; ++q15) {
    std::string text = ScoreText(q15, 4);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text += '0';
    ASSERT_EQ(nlohmann::json(ScoreNumber(q15)).dump(), text) << q15;
  }
}

constexpr LogitForm kForm{4, 1'500'000'001, 40};

std::vector<int16_t> Codes() {
  return {0, 1, -1, 2, 300, -300, 32767, -32768, 12345, -12345, 77, 78, 79, -32767, 32766, 5};
}

TEST(LogitsNpy, IsWhatNumPyWrites) {
  const Bytes file = EncodeLogits(Codes(), kForm);
  ASSERT_EQ(file.size(), 128u + 4 * 16);
  const std::string head(file.begin(), file.begin() + 128);
  EXPECT_EQ(head.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(head.substr(10, 62), "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4, 4), }");
  EXPECT_EQ(head.back(), '\n');
  EXPECT_TRUE(IsNpy(file));
  for (size_t i = 0; i < 16; ++i) {
    uint32_t bits = 0;
    for (size_t b = 4; b-- > 0;) bits = bits << 8 | file[128 + 4 * i + b];
    const double exact = std::ldexp(static_cast<double>(Codes()[i]) * 1'500'000'001.0, -40);
    EXPECT_EQ(__builtin_bit_cast(float, bits), static_cast<float>(exact));
  }
}

TEST(LogitsNpy, EveryCodeComesBack) {
  for (const auto& [mantissa, shift] :
       {std::pair{1 << 30, 30}, {INT32_MAX, 45}, {(1 << 30) + 1, 0}, {1'234'567'891, 62}}) {
    for (int first = -32768; first < 32768; first += 16) {
      std::vector<int16_t> codes(16);
      for (int i = 0; i < 16; ++i) codes[static_cast<size_t>(i)] = static_cast<int16_t>(first + i);
      const LogitForm form{4, mantissa, shift};
      const Result<std::vector<int16_t>> back = DecodeLogits(EncodeLogits(codes, form), form);
      ASSERT_TRUE(back.ok()) << back.status().message();
      ASSERT_EQ(back.value(), codes) << mantissa << " " << shift;
    }
  }
}

// A file with that header, padded or not, and those floats.
Bytes Npy(const std::string& header, std::vector<float> values, int version = 1) {
  std::ostringstream text;
  text << "\x93NUMPY" << static_cast<char>(version) << '\0' << static_cast<char>(header.size()) << '\0';
  if (version > 1) text << std::string(2, '\0');
  text << header;
  const std::string head = text.str();
  Bytes file(head.begin(), head.end());
  values.resize(16);
  for (const float value : values) {
    for (int i = 0; i < 4; ++i) file.push_back(static_cast<uint8_t>(__builtin_bit_cast(uint32_t, value) >> 8 * i));
  }
  return file;
}

TEST(LogitsNpy, OthersFilesAreRead) {
  const float unit = std::ldexp(1'500'000'001.0f, -40);
  const std::vector<float> values = {unit, -3.4f * unit, 1e30f, -std::numeric_limits<float>::infinity()};
  for (const auto& [header, version] :
       {std::pair{"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4, 4), }", 1},
        {"{\"shape\":(4,4),\"fortran_order\":False,\"descr\":\"<f4\"}  \n", 2},
        {"{ 'fortran_order' : False, 'descr' : '<f4', 'shape' : ( 1 , 4 , 4 ) , }", 3}}) {
    Result<std::vector<int16_t>> codes = DecodeLogits(Npy(header, values, version), kForm);
    ASSERT_TRUE(codes.ok()) << codes.status().message();
    EXPECT_EQ(std::vector<int16_t>(codes->begin(), codes->begin() + 5),
              (std::vector<int16_t>{1, -3, 32767, -32768, 0}));
  }
}

TEST(LogitsNpy, BadFilesAreNamed) {
  const auto header = [](const std::string& type, const std::string& order, const std::string& shape) {
    return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + "}";
  };
  const auto failure = [](const Bytes& file) { return DecodeLogits(file, kForm).status(); };
  ExpectFailure(failure(Npy(header("<f8", "False", "(4,4)"), {})), Code::kUnsupported, "'<f8'");
  ExpectFailure(failure(Npy(header(">f4", "False", "(4,4)"), {})), Code::kUnsupported, "'>f4'");
  ExpectFailure(failure(Npy(header("<f4", "True", "(4,4)"), {})), Code::kUnsupported, "by columns");
  ExpectFailure(failure(Npy(header("<f4", "False", "(3,4,4)"), {})), Code::kUsage,
                "shape 3 x 4 x 4; this model's are 1 x 4 x 4");
  ExpectFailure(failure(Npy(header("<f4", "False", "()"), {})), Code::kUsage, "shape");
  ExpectFailure(failure(Npy(header("<f4", "False", "(4,4)"), {0.0f, NAN})), Code::kDamaged, "value 1 is not a number");
  ExpectFailure(failure(Npy("{'descr': '<f4'}", {})), Code::kDamaged, "dictionary");
  ExpectFailure(failure(Npy("{'shape': (4,4), 'shape': (4,4), 'descr': '<f4'}", {})), Code::kDamaged, "dictionary");
  ExpectFailure(failure(Npy(header("<f4", "False", "(4,-4)"), {})), Code::kDamaged, "dictionary");
  ExpectFailure(failure(Npy(header("<f4", "False", "(4,99999999999999999999)"), {})), Code::kDamaged, "dictionary");
  ExpectFailure(failure(Npy(header("<f4", "False", "(4,4)"), {}, 9)), Code::kUnsupported, "version 9");
  Bytes long_header = Npy(header("<f4", "False", "(4,4)"), {}, 2);
  long_header[10] = 255;
  ExpectFailure(failure(long_header), Code::kDamaged, "a header of");
  const Bytes good = EncodeLogits(Codes(), kForm);
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_EQ(failure(Bytes(good.begin(), good.begin() + static_cast<long>(n))).code(), Code::kDamaged) << n;
  }
  Bytes longer = good;
  longer.push_back(0);
  ExpectFailure(failure(longer), Code::kDamaged, "65 bytes of values, not 64");
}

}  // namespace
}  // namespace intsam::internal
