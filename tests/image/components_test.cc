// Regions of masks, and the removal of small ones, by hand and against a flood fill.
#include "runtime/image/components.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/image/pixels.h"

namespace intsam::internal {
namespace {

using testing::Pixels;
using testing::PixelsOf;
using testing::RunsOf;

// Fills the region of pixel (x, y) with `by` and returns its size.
uint64_t Flood(Pixels& pixels, int y, int x, bool corners, char by) {
  const char from = pixels[static_cast<size_t>(y)][static_cast<size_t>(x)];
  std::vector<std::pair<int, int>> todo = {{y, x}};
  pixels[static_cast<size_t>(y)][static_cast<size_t>(x)] = by;
  uint64_t area = 0;
  while (!todo.empty()) {
    const auto [at_y, at_x] = todo.back();
    todo.pop_back();
    ++area;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        const int ny = at_y + dy, nx = at_x + dx;
        if ((!corners && dy != 0 && dx != 0) || ny < 0 || nx < 0 || ny >= static_cast<int>(pixels.size()) ||
            nx >= static_cast<int>(pixels[0].size()))
          continue;
        char& pixel = pixels[static_cast<size_t>(ny)][static_cast<size_t>(nx)];
        if (pixel == from) pixel = by, todo.emplace_back(ny, nx);
      }
    }
  }
  return area;
}

TEST(Components, EqualAFloodFill) {
  std::mt19937 random(4);
  for (uint32_t i = 0; i < 200; ++i) {
    Pixels pixels = testing::RandomPixels(1 + i % 37, 1 + i % 23, 1 + i % 5, random);
    const MaskRuns mask = RunsOf(pixels);
    for (const bool corners : {false, true}) {
      const Components components = FindComponents(mask, corners ? Connectivity::kCorners : Connectivity::kEdges);
      Pixels left = pixels;
      size_t found = 0;
      for (uint32_t y = 0; y < mask.rows(); ++y) {
        for (size_t run = mask.first(y); run < mask.end(y); ++run) {
          const uint32_t x = mask.runs()[run].begin;
          if (left[y][x] == '#') {
            ASSERT_EQ(components.label[run], found) << "numbered by their first runs";
            ASSERT_EQ(components.area[found++], Flood(left, static_cast<int>(y), static_cast<int>(x), corners, 'x'));
          }
        }
      }
      ASSERT_EQ(components.area.size(), found);
      // Runs of one label, and only these, are reached from each other.
      for (uint32_t y = 0; y < mask.rows(); ++y) {
        for (size_t run = mask.first(y); run < mask.end(y); ++run) {
          Pixels fill = pixels;
          ASSERT_EQ(Flood(fill, static_cast<int>(y), static_cast<int>(mask.runs()[run].begin), corners, 'x'),
                    components.area[components.label[run]]);
        }
      }
    }
  }
}

TEST(SmallRegions, HolesAreFilledThenIslandsRemoved) {
  MaskRuns mask = RunsOf({
      ".........",
      ".#####...",
      ".#...#.#.",
      ".#####...",
      "........#",
  });
  MaskRuns copy = mask;
  EXPECT_FALSE(RemoveSmallRegions(1, copy)) << "nothing is below one pixel";
  EXPECT_EQ(PixelsOf(copy), PixelsOf(mask));
  EXPECT_TRUE(RemoveSmallRegions(4, mask));
  EXPECT_EQ(PixelsOf(mask), (Pixels{".........", ".#####...", ".#####...", ".#####...", "........."}));
  EXPECT_FALSE(RemoveSmallRegions(4, mask));
  MaskRuns row = RunsOf({"#..##....##........."});
  EXPECT_TRUE(RemoveSmallRegions(3, row));
  EXPECT_EQ(PixelsOf(row), Pixels{"#####..............."}) << "what is joined by filling is no longer small";
}

TEST(SmallRegions, CornersConnect) {
  MaskRuns islands = RunsOf({"#...", ".#..", "..#."});
  EXPECT_FALSE(RemoveSmallRegions(3, islands));
  MaskRuns holes = RunsOf({"#####", "#.###", "##.##", "#####"});
  MaskRuns copy = holes;
  EXPECT_FALSE(RemoveSmallRegions(2, holes));
  EXPECT_TRUE(RemoveSmallRegions(3, copy));
  EXPECT_EQ(copy.Area(), 20u);
}

// The original keeps one region where all are small, and calls that a change even if it is none.
TEST(SmallRegions, TheLargestStaysWhereAllAreSmall) {
  MaskRuns two = RunsOf({"#......", ".......", "...##..", ".......", "......#"});
  EXPECT_TRUE(RemoveSmallRegions(9, two));
  EXPECT_EQ(PixelsOf(two), (Pixels{".......", ".......", "...##..", ".......", "......."}));
  MaskRuns equal = RunsOf({"......#", ".......", "#......"});
  EXPECT_TRUE(RemoveSmallRegions(9, equal));
  EXPECT_EQ(PixelsOf(equal), (Pixels{"......#", ".......", "......."}));
  EXPECT_TRUE(RemoveSmallRegions(9, equal)) << "nothing is left to remove";
  EXPECT_EQ(equal.Area(), 1u);
}

TEST(SmallRegions, NothingAndAll) {
  MaskRuns nothing = RunsOf({"....", "...."}), all = RunsOf({"####", "####"});
  EXPECT_FALSE(RemoveSmallRegions(8, nothing));
  EXPECT_FALSE(RemoveSmallRegions(8, all));
  EXPECT_TRUE(RemoveSmallRegions(9, nothing)) << "the outside is a hole too";
  EXPECT_EQ(nothing.Area(), 8u);
}

}  // namespace
}  // namespace intsam::internal
