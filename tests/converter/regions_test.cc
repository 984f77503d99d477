// Regions of label maps and the prompts made from them, against brute force.
#include "converter/verify/regions.h"

#include <gtest/gtest.h>

#include <random>

namespace intsam::internal {
namespace {

int64_t BruteForce(const std::vector<uint8_t>& mask, ImageSize size, uint32_t x, uint32_t y) {
  int64_t best = int64_t{size.width} * size.width + int64_t{size.height} * size.height;
  for (uint32_t j = 0; j < size.height; ++j) {
    for (uint32_t i = 0; i < size.width; ++i) {
      if (mask[size_t{j} * size.width + i] != 0) continue;
      const int64_t dx = int64_t{i} - x, dy = int64_t{j} - y;
      best = std::min(best, dx * dx + dy * dy);
    }
  }
  return best;
}

TEST(Regions, DistancesAreExact) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    const ImageSize size{1 + static_cast<uint32_t>(random() % 23), 1 + static_cast<uint32_t>(random() % 19)};
    std::vector<uint8_t> mask(size_t{size.width} * size.height);
    const uint32_t density = 1 + static_cast<uint32_t>(random() % 40);
    for (uint8_t& pixel : mask) pixel = random() % density != 0;
    const std::vector<int64_t> distances = SquaredDistances(mask, size);
    for (uint32_t y = 0; y < size.height; ++y) {
      for (uint32_t x = 0; x < size.width; ++x) {
        ASSERT_EQ(distances[size_t{y} * size.width + x], BruteForce(mask, size, x, y))
            << size.width << "x" << size.height << " " << x << "," << y;
      }
    }
  }
}

TEST(Regions, PromptsLieWhereTheConventionSays) {
  // A 5x3 block of label 7 at (10, 20), a one-pixel label 9 (below 0.5 %), everything else unlabelled.
  const ImageSize size{40, 40};
  std::vector<uint16_t> labels(1600);
  for (uint32_t y = 20; y < 23; ++y) {
    for (uint32_t x = 10; x < 15; ++x) labels[y * 40 + x] = 7;
  }
  labels[0] = 9;
  const std::vector<Region> regions = RegionsOf(labels, size, 6);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_EQ(regions[0].box, (BoxPrompt{10 * 64, 20 * 64, 14 * 64, 22 * 64}));
  EXPECT_EQ(regions[0].point, (PointPrompt{11 * 64, 21 * 64, 1}));  // the first of the three middle pixels
}

TEST(Regions, SizesAndOrder) {
  const ImageSize size{10, 10};
  std::vector<uint16_t> labels(100, 5);  // 100 %: too large
  EXPECT_TRUE(RegionsOf(labels, size, 6).empty());
  for (size_t i = 0; i < 100; ++i) labels[i] = static_cast<uint16_t>(300 - i / 10);
  const std::vector<Region> regions = RegionsOf(labels, size, 6);
  ASSERT_EQ(regions.size(), 6u);
  EXPECT_EQ(regions[0].box.y0, 9 * 64);  // ascending labels: the last row first
}

TEST(Regions, Iou) {
  const std::vector<uint8_t> a = {1, 1, 0, 0}, b = {0, 1, 1, 0}, none(4);
  EXPECT_DOUBLE_EQ(MaskIou(a, b), 1.0 / 3);
  EXPECT_DOUBLE_EQ(MaskIou(a, none), 0);
  EXPECT_DOUBLE_EQ(MaskIou(none, none), 1);
}

}  // namespace
}  // namespace intsam::internal
