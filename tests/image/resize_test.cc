// The resampler against Pillow (resize_goldens.txt, made by make_goldens.py), its pixel formats and strides, and the
// target size against the official formula. Synthetic pixels are made here and there by the same integer formulas.
#include "runtime/image/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "runtime/base/sha256.h"

namespace intsam::internal {
namespace {

using Bytes = std::vector<uint8_t>;

uint8_t NoiseByte(uint32_t seed, uint32_t index) {
  uint32_t v = index * 2654435761u + seed * 40503u;
  v = (v ^ v >> 15) * 0x2C1B3C6Du;
  v = (v ^ v >> 12) * 0x297A2D39u;
  return static_cast<uint8_t>(v ^ v >> 15);
}

Bytes Noise(uint32_t seed, ImageSize size) {
  Bytes pixels(size_t{3} * size.width * size.height);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = NoiseByte(seed, static_cast<uint32_t>(i));
  return pixels;
}

Bytes Wave(uint32_t seed, ImageSize size) {
  Bytes pixels;
  pixels.reserve(size_t{3} * size.width * size.height);
  for (uint32_t y = 0; y < size.height; ++y) {
    for (uint32_t x = 0; x < size.width; ++x) {
      for (uint32_t c = 0; c < 3; ++c) {
        const uint32_t ramp = (x * (3 + c) + y * 5 + seed) & 511;
        const uint32_t triangle = ramp > 255 ? 511 - ramp : ramp;
        pixels.push_back(static_cast<uint8_t>((x >> 4 ^ y >> 3 ^ c) & 1 ? triangle : 255 - (triangle & 240)));
      }
    }
  }
  return pixels;
}

Bytes Resize(const Bytes& pixels, ImageSize from, ImageSize to) {
  Bytes out, scratch;
  ResizeToRgb(pixels.data(), from, size_t{3} * from.width, PixelFormat::kRgb, to, out, scratch);
  return out;
}

std::string Hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t b : bytes) text += {kDigits[b >> 4], kDigits[b & 15]};
  return text;
}

TEST(Resize, EqualsPillow) {
  std::ifstream file(INTSAM_SOURCE_DIR "/tests/image/resize_goldens.txt");
  ASSERT_TRUE(file);
  int hashes = 0, full = 0;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind, expected;
    uint32_t seed;
    ImageSize from, to;
    words >> kind;
    if (kind == "#" || kind == "photo") continue;  // photos: tests/e2e, which can decode them
    words >> seed >> from.width >> from.height >> to.width >> to.height >> expected;
    ASSERT_TRUE(words) << line;
    const Bytes out = Resize(kind == "wave" ? Wave(seed, from) : Noise(seed, from), from, to);
    if (kind == "full") {
      EXPECT_EQ(Hex(out), expected) << line;
      ++full;
    } else {
      EXPECT_EQ(ToHex(Sha256Of(out.data(), out.size())), expected) << line;
      ++hashes;
    }
  }
  EXPECT_EQ(hashes, 70);
  EXPECT_EQ(full, 8);
}

// What newer Pillow releases do to many tall images differs only by the order of the passes. Transposing the image,
// resizing and transposing back is that order; it must differ from ours somewhere, or the goldens would prove nothing.
TEST(Resize, OrderOfPassesMatters) {
  const ImageSize from{40, 90}, to{20, 45};
  const Bytes pixels = Noise(5, from);
  const auto transpose = [](const Bytes& in, ImageSize size) {
    Bytes out(in.size());
    for (uint32_t y = 0; y < size.height; ++y) {
      for (uint32_t x = 0; x < size.width; ++x) {
        std::copy_n(&in[3 * (size_t{y} * size.width + x)], 3, &out[3 * (size_t{x} * size.height + y)]);
      }
    }
    return out;
  };
  const Bytes ours = Resize(pixels, from, to);
  const Bytes swapped = transpose(Resize(transpose(pixels, from), {90, 40}, {45, 20}), {45, 20});
  ASSERT_EQ(ours.size(), swapped.size());
  int differing = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_LE(std::abs(ours[i] - swapped[i]), 1);
    differing += ours[i] != swapped[i];
  }
  EXPECT_GT(differing, 0);
}

TEST(Resize, FlatImagesStayFlatAndExtremesDoNotWrap) {
  for (int value : {0, 1, 127, 254, 255}) {
    for (ImageSize to : {ImageSize{1, 1}, ImageSize{7, 90}, ImageSize{64, 5}, ImageSize{200, 300}}) {
      const Bytes out = Resize(Bytes(3 * 33 * 57, static_cast<uint8_t>(value)), {33, 57}, to);
      for (uint8_t b : out) ASSERT_EQ(b, value);
    }
  }
}

TEST(Resize, FormatsAndStrides) {
  for (ImageSize to : {ImageSize{19, 31}, ImageSize{45, 31}, ImageSize{19, 60}, ImageSize{9, 10}}) {
    const ImageSize from{19, 31};
    const Bytes rgb = Noise(9, from);
    const Bytes expected = Resize(rgb, from, to);
    for (PixelFormat format : {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra}) {
      const uint32_t step = PixelBytes(format);
      const bool swap = format == PixelFormat::kBgr || format == PixelFormat::kBgra;
      const size_t stride = from.width * step + 11;  // exactly as long as the last row needs
      Bytes packed(stride * (from.height - 1) + from.width * step, 0xA5);
      for (uint32_t y = 0; y < from.height; ++y) {
        for (uint32_t x = 0; x < from.width; ++x) {
          for (uint32_t c = 0; c < 3; ++c) {
            packed[y * stride + x * step + (swap ? 2 - c : c)] = rgb[3 * (y * from.width + x) + c];
          }
        }
      }
      Bytes out(3, 7), scratch(1);  // leftovers of an earlier call
      ResizeToRgb(packed.data(), from, stride, format, to, out, scratch);
      EXPECT_EQ(out, expected) << static_cast<int>(format);
    }
  }
}

TEST(Resize, GrayIsReplicated) {
  const ImageSize from{21, 13};
  for (ImageSize to : {from, ImageSize{50, 9}, ImageSize{21, 20}}) {
    Bytes gray(21 * 13), rgb;
    for (size_t i = 0; i < gray.size(); ++i) {
      gray[i] = NoiseByte(3, static_cast<uint32_t>(i));
      rgb.insert(rgb.end(), 3, gray[i]);
    }
    Bytes out, scratch;
    ResizeToRgb(gray.data(), from, from.width, PixelFormat::kGray, to, out, scratch);
    EXPECT_EQ(out, Resize(rgb, from, to));
  }
}

// Official: scale = longest / max(h, w) in double; int(h * scale + 0.5). For every side, alone and as the shorter one.
TEST(ResizedSize, EqualsTheOfficialFormula) {
  int differences = 0;
  for (uint32_t longest : {512u, 1024u}) {
    for (uint32_t side = 1; side <= 4000; ++side) {
      const double scale = longest * 1.0 / side;
      EXPECT_EQ(ResizedSize({side, side}, longest), (ImageSize{longest, longest}));
      for (uint32_t shorter = 1 + side % 7; shorter <= side; shorter += 7) {
        const uint32_t official = std::max(1, static_cast<int>(shorter * scale + 0.5));
        const ImageSize wide = ResizedSize({side, shorter}, longest), tall = ResizedSize({shorter, side}, longest);
        EXPECT_EQ(wide.width, longest);
        EXPECT_EQ(wide.height, tall.width);
        EXPECT_EQ(tall.height, longest);
        differences += wide.height != official;
      }
    }
  }
  EXPECT_EQ(differences, 0);
}

TEST(ResizedSize, ExtremesKeepAtLeastOnePixel) {
  EXPECT_EQ(ResizedSize({32768, 1}, 1024), (ImageSize{1024, 1}));
  EXPECT_EQ(ResizedSize({1, 32768}, 512), (ImageSize{1, 512}));
  EXPECT_EQ(ResizedSize({32768, 32768}, 1024), (ImageSize{1024, 1024}));
  EXPECT_EQ(ResizedSize({1, 1}, 1024), (ImageSize{1024, 1024}));
}

}  // namespace
}  // namespace intsam::internal
