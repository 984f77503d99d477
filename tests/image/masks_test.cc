// The definition of masks against the original pipeline in doubles: bilinear x4 (not corner aligned), crop, bilinear to
// the original size, threshold. Bounds follow docs/numerics.md section 12.
#include "runtime/image/masks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "tests/image/plain_masks.h"

namespace intsam::internal {
namespace {

using Plane = std::vector<double>;

// Bilinear interpolation with align_corners = false, as the original package asks of PyTorch.
Plane Bilinear(const Plane& in, ImageSize from, ImageSize to) {
  const auto position = [](uint32_t o, uint32_t n_in, uint32_t n_out) {
    return std::max((o + 0.5) * n_in / n_out - 0.5, 0.0);
  };
  Plane out;
  for (uint32_t y = 0; y < to.height; ++y) {
    const double sy = position(y, from.height, to.height);
    const auto y0 = static_cast<uint32_t>(sy), y1 = std::min(y0 + 1, from.height - 1);
    for (uint32_t x = 0; x < to.width; ++x) {
      const double sx = position(x, from.width, to.width);
      const auto x0 = static_cast<uint32_t>(sx), x1 = std::min(x0 + 1, from.width - 1);
      const auto at = [&](uint32_t row, uint32_t column) { return in[size_t{row} * from.width + column]; };
      const double top = at(y0, x0) + (at(y0, x1) - at(y0, x0)) * (sx - x0);
      const double bottom = at(y1, x0) + (at(y1, x1) - at(y1, x0)) * (sx - x0);
      out.push_back(top + (bottom - top) * (sy - y0));
    }
  }
  return out;
}

Plane Reference(const std::vector<int16_t>& logits, uint32_t side, ImageSize resized, ImageSize original) {
  const Plane up = Bilinear(Plane(logits.begin(), logits.end()), {side, side}, {4 * side, 4 * side});
  Plane crop;
  for (uint32_t y = 0; y < resized.height; ++y) {
    crop.insert(crop.end(), up.begin() + size_t{y} * 4 * side, up.begin() + size_t{y} * 4 * side + resized.width);
  }
  return Bilinear(crop, resized, original);
}

std::vector<int32_t> AllRows(const std::vector<int16_t>& logits, uint32_t side, ImageSize resized, ImageSize original) {
  return testing::PlainLogits(logits, side, resized, original, MaskView::Whole(original));
}

// Blobs with slopes like those of real mask logits (a few hundred units per logit pixel).
std::vector<int16_t> Blobs(uint32_t side, uint32_t seed) {
  std::vector<int16_t> logits;
  for (uint32_t y = 0; y < side; ++y) {
    for (uint32_t x = 0; x < side; ++x) {
      const double v =
          9000 * std::sin(0.11 * x + seed) * std::cos(0.07 * y + 2 * seed) + 2500 * std::sin(0.5 * (x + y));
      logits.push_back(static_cast<int16_t>(std::lround(v)));
    }
  }
  return logits;
}

struct Shape {
  uint32_t side;
  ImageSize resized, original;
};

const Shape kShapes[] = {
    {32, {128, 96}, {300, 225}}, {32, {96, 128}, {48, 64}},     {32, {128, 128}, {128, 128}},
    {32, {128, 1}, {500, 3}},    {32, {1, 128}, {3, 500}},      {16, {64, 37}, {641, 371}},
    {16, {64, 64}, {1, 1}},      {128, {512, 341}, {451, 300}}, {4, {16, 9}, {100, 57}},
};

TEST(Masks, LogitsFollowTheReference) {
  for (const Shape& s : kShapes) {
    for (uint32_t seed = 0; seed < 3; ++seed) {
      const std::vector<int16_t> logits = Blobs(s.side, seed);
      const Plane expected = Reference(logits, s.side, s.resized, s.original);
      const std::vector<int32_t> rows = AllRows(logits, s.side, s.resized, s.original);
      double worst = 0;
      for (size_t i = 0; i < rows.size(); ++i) worst = std::max(worst, std::abs(rows[i] / 4096.0 - expected[i]));
      EXPECT_LE(worst, 1.5) << s.side << " " << s.original.width;
    }
  }
}

// Full-scale noise: two roundings of half a unit plus the 12-bit weights, at most 2^-13 of the largest step per axis.
TEST(Masks, FullScaleNoiseDoesNotWrap) {
  std::mt19937 random(7);
  for (const Shape& s : kShapes) {
    std::vector<int16_t> logits(size_t{s.side} * s.side);
    for (int16_t& v : logits) v = random() % 2 ? 32767 : -32767;
    const Plane expected = Reference(logits, s.side, s.resized, s.original);
    const std::vector<int32_t> rows = AllRows(logits, s.side, s.resized, s.original);
    for (size_t i = 0; i < rows.size(); ++i) {
      ASSERT_LE(std::abs(rows[i] / 4096.0 - expected[i]), 1.0 + 2 * 65534.0 / 8192);
    }
  }
}

TEST(Masks, BytesAgreeWithTheReferenceAwayFromTheThreshold) {
  ThreadPool one(1);
  uint64_t pixels = 0, differing = 0;
  for (const Shape& s : kShapes) {
    const std::vector<int16_t> logits = Blobs(s.side, 5);
    const Plane expected = Reference(logits, s.side, s.resized, s.original);
    std::vector<uint8_t> mask(expected.size());
    const MaskSampling sampling(s.resized, s.original, MaskView::Whole(s.original));
    const MaskScan scan(logits.data(), s.side, sampling, 0);
    ASSERT_TRUE(DrawMask(scan, MaskFormat::kBytes, mask.data(), s.original.width, one).ok());
    for (size_t i = 0; i < mask.size(); ++i) {
      ASSERT_LE(mask[i], 1);
      differing += mask[i] != (expected[i] > 0);
      if (std::abs(expected[i]) > 1.5) {
        ASSERT_EQ(mask[i], expected[i] > 0);
      }
    }
    pixels += mask.size();
  }
  EXPECT_LT(differing * 2000, pixels);
}

TEST(Masks, ThresholdIsStrict) {
  const std::vector<int16_t> logits(8 * 8, 3);  // flat: every pixel is 3 * 4096 exactly
  const ImageSize resized{32, 20}, original{50, 31};
  const MaskSampling sampling(resized, original, MaskView::Whole(original));
  const auto count = [&](int32_t threshold) { return CountPixels(MaskScan(logits.data(), 8, sampling, threshold)); };
  EXPECT_EQ(count(3 * 4096 - 1), 50u * 31);
  EXPECT_EQ(count(3 * 4096), 0u);
  EXPECT_EQ(count(INT32_MIN), 50u * 31);
  EXPECT_EQ(count(INT32_MAX), 0u);
}

// A 2 x 2 map by hand from section 12.
TEST(Masks, UpsamplesInEighths) {
  const std::vector<int16_t> logits = {0, 64, 128, 192};
  const std::vector<int32_t> rows = AllRows(logits, 2, {8, 8}, {8, 8});
  const int32_t first[8] = {0, 0, 8, 24, 40, 56, 64, 64};
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) EXPECT_EQ(rows[y * 8 + x], (2 * first[y] + first[x]) * 4096) << y << "," << x;
  }
}

// The way back: each logit asks the pixel under its middle, in doubles here; where there is no photo, nothing is drawn.
TEST(MaskPrompt, EachLogitShowsThePixelUnderItsMiddle) {
  constexpr uint32_t kImageSize = 256, kSide = 64;
  std::mt19937 random(5);
  for (const ImageSize original : {ImageSize{256, 256}, ImageSize{640, 427}, ImageSize{427, 640}, ImageSize{100, 61},
                                   ImageSize{1, 1}, ImageSize{3000, 1}, ImageSize{1, 3000}, ImageSize{31, 977}}) {
    SCOPED_TRACE(std::to_string(original.width) + " x " + std::to_string(original.height));
    const ImageSize resized = ResizedSize(original, kImageSize);
    const size_t stride = original.width + 5;
    // No byte outside the rows may be asked: the last row has no gap.
    std::vector<uint8_t> mask(stride * (original.height - 1) + original.width);
    for (uint8_t& pixel : mask) pixel = random() % 3 == 0 ? static_cast<uint8_t>(random() | 1) : 0;
    std::vector<int16_t> logits(kSide * kSide);
    MaskPromptLogits(mask.data(), stride, original, resized, kImageSize, kSide, 1234, logits.data());
    for (uint32_t y = 0; y < kSide; ++y) {
      for (uint32_t x = 0; x < kSide; ++x) {
        const double at_x = (x + 0.5) * kImageSize / kSide, at_y = (y + 0.5) * kImageSize / kSide;
        bool drawn = at_x < resized.width && at_y < resized.height;
        if (drawn) {
          const auto pixel_x = static_cast<size_t>(at_x * original.width / resized.width + 1e-9);
          const auto pixel_y = static_cast<size_t>(at_y * original.height / resized.height + 1e-9);
          drawn = mask[pixel_y * stride + pixel_x] != 0;
        }
        ASSERT_EQ(logits[y * kSide + x], drawn ? 1234 : -1234) << x << ", " << y;
      }
    }
  }
}

}  // namespace
}  // namespace intsam::internal
