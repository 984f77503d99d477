// Masks as runs: areas, boxes, pixels, and where they are placed in larger ones.
#include "runtime/image/mask_runs.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/image/pixels.h"

namespace intsam::internal {
namespace {

using testing::Pixels;
using testing::RunsOf;

TEST(MaskRuns, AreaAndBox) {
  const Pixels pixels = {"........", "..##..#.", "........", ".#......", "........"};
  const MaskRuns runs = RunsOf(pixels);
  EXPECT_EQ(runs.size(), (ImageSize{8, 5}));
  EXPECT_EQ(runs.rows(), 5u);
  EXPECT_EQ(runs.Area(), 4u);
  EXPECT_EQ(runs.Box(), (PixelBox{1, 1, 6, 3}));
  EXPECT_EQ(RunsOf({"...", "..."}).Box(), (PixelBox{0, 0, 0, 0}));
  EXPECT_EQ(RunsOf({"...", "..."}).Area(), 0u);
  EXPECT_EQ(RunsOf({"###", "###"}).Box(), (PixelBox{0, 0, 2, 1}));
  EXPECT_EQ(RunsOf({"...", ".#."}).Box(), (PixelBox{1, 1, 1, 1}));
}

TEST(MaskRuns, BytesAndBits) {
  std::mt19937 random(1);
  for (const uint32_t width : {1u, 7u, 8u, 9u, 15u, 16u, 17u, 40u, 65u}) {
    for (const uint32_t density : {2u, 7u, 30u}) {
      const Pixels pixels = testing::RandomPixels(width, 9, density, random);
      const MaskRuns runs = RunsOf(pixels);
      std::vector<uint8_t> bytes(70 * 9, 0xEE), bits(70 * 9, 0xEE);
      runs.ToBytes(bytes.data(), 70);
      runs.ToBits(bits.data(), 70);
      for (uint32_t y = 0; y < 9; ++y) {
        for (uint32_t x = 0; x < 70; ++x)
          ASSERT_EQ(bytes[y * 70 + x], x < width ? pixels[y][x] == '#' : 0xEE) << width << ": " << x << ", " << y;
        for (uint32_t x = 0; x < (width + 7) / 8 * 8; ++x)
          ASSERT_EQ(bits[y * 70 + x / 8] >> (x % 8) & 1, x < width && pixels[y][x] == '#') << width << ": " << x;
        for (uint32_t i = (width + 7) / 8; i < 70; ++i) ASSERT_EQ(bits[y * 70 + i], 0xEE);
      }
    }
  }
}

TEST(MaskRuns, RowsAndInverse) {
  const MaskRuns runs = RunsOf({"##..", "....", ".#.#", "####"});
  EXPECT_EQ(testing::PixelsOf(runs.Rows(1, 3)), (Pixels{"....", ".#.#"}));
  EXPECT_EQ(testing::PixelsOf(runs.Rows(0, 4)), testing::PixelsOf(runs));
  EXPECT_EQ(testing::PixelsOf(runs.Inverse()), (Pixels{"..##", "####", "#.#.", "...."}));
}

TEST(MaskRuns, Placed) {
  const MaskRuns placed = RunsOf({"#.#", ".#."}).Placed(2, 1, {6, 5});
  EXPECT_EQ(testing::PixelsOf(placed), (Pixels{"......", "..#.#.", "...#..", "......", "......"}));
  EXPECT_EQ(testing::PixelsOf(RunsOf({"#"}).Placed(0, 0, {1, 1})), (Pixels{"#"}));
  EXPECT_EQ(testing::PixelsOf(RunsOf({"##"}).Placed(1, 2, {3, 3})), (Pixels{"...", "...", ".##"}));
}

}  // namespace
}  // namespace intsam::internal
