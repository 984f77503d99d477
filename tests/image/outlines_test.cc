// Outlines of masks: by hand, and that polygons filled again give the mask.
#include "runtime/image/outlines.h"

#include <gtest/gtest.h>

#include "runtime/image/components.h"
#include "tests/image/pixels.h"

namespace intsam::internal {
namespace {

using testing::Pixels;
using testing::RunsOf;
using Corners = std::vector<Corner>;

Corners RingOf(const Outlines& outlines, size_t ring) {
  const auto first = outlines.corners.begin() + static_cast<std::ptrdiff_t>(outlines.rings[ring].first);
  return {first, first + static_cast<std::ptrdiff_t>(outlines.rings[ring].count)};
}

// Twice the area to the right of who walks along the ring, as seen on a screen.
int64_t TwiceArea(const Corners& ring) {
  int64_t sum = 0;
  for (size_t i = 0; i < ring.size(); ++i) {
    const Corner &a = ring[i], &b = ring[(i + 1) % ring.size()];
    sum += int64_t{a.x} * b.y - int64_t{b.x} * a.y;
  }
  return sum;
}

// Pixels with an odd number of vertical sides to their left.
Pixels Filled(const Outlines& outlines, ImageSize size) {
  Pixels pixels(size.height, std::string(size.width, '.'));
  for (size_t r = 0; r < outlines.rings.size(); ++r) {
    const Corners ring = RingOf(outlines, r);
    for (size_t i = 0; i < ring.size(); ++i) {
      const Corner &a = ring[i], &b = ring[(i + 1) % ring.size()];
      for (uint32_t y = std::min(a.y, b.y); y < std::max(a.y, b.y); ++y) {
        for (uint32_t x = a.x; x < size.width; ++x) pixels[y][x] = pixels[y][x] == '#' ? '.' : '#';
      }
    }
  }
  return pixels;
}

TEST(Outlines, OfOnePixel) {
  const Outlines outlines = FindOutlines(RunsOf({"...", ".#."}));
  ASSERT_EQ(outlines.rings.size(), 1u);
  EXPECT_EQ(RingOf(outlines, 0), (Corners{{1, 1}, {2, 1}, {2, 2}, {1, 2}}));
  EXPECT_EQ(outlines.rings[0].outer, 0u);
}

TEST(Outlines, HolesGoTheOtherWay) {
  const Outlines outlines = FindOutlines(RunsOf({"####", "#.##", "####"}));
  ASSERT_EQ(outlines.rings.size(), 2u);
  EXPECT_EQ(RingOf(outlines, 0), (Corners{{0, 0}, {4, 0}, {4, 3}, {0, 3}}));
  EXPECT_EQ(RingOf(outlines, 1), (Corners{{1, 2}, {2, 2}, {2, 1}, {1, 1}}));
  EXPECT_EQ(outlines.rings[1].outer, 0u);
  EXPECT_EQ(TwiceArea(RingOf(outlines, 0)), 24);
  EXPECT_EQ(TwiceArea(RingOf(outlines, 1)), -2);
}

TEST(Outlines, PixelsThatTouchInACornerAreTwoParts) {
  for (const Pixels& pixels : {Pixels{"#.", ".#"}, Pixels{".#", "#."}}) {
    const Outlines outlines = FindOutlines(RunsOf(pixels));
    ASSERT_EQ(outlines.rings.size(), 2u);
    for (const size_t ring : {0u, 1u}) {
      EXPECT_EQ(RingOf(outlines, ring).size(), 4u);
      EXPECT_EQ(TwiceArea(RingOf(outlines, ring)), 2);
      EXPECT_EQ(outlines.rings[ring].outer, ring);
    }
  }
  const Outlines hole = FindOutlines(RunsOf({"####", "#.##", "##.#", "####"}));
  ASSERT_EQ(hole.rings.size(), 2u) << "the hole is connected across the corner";
  EXPECT_EQ(RingOf(hole, 1).size(), 8u);
}

// A part inside the hole of another, with a hole of its own.
TEST(Outlines, HolesKnowTheirParts) {
  const Outlines outlines = FindOutlines(RunsOf({
      "#######",
      "#.....#",
      "#.###.#",
      "#.#.#.#",
      "#.###.#",
      "#.....#",
      "#######",
  }));
  ASSERT_EQ(outlines.rings.size(), 4u);
  const size_t expected[] = {0, 0, 2, 2};
  for (size_t ring = 0; ring < 4; ++ring) EXPECT_EQ(outlines.rings[ring].outer, expected[ring]) << ring;
}

TEST(Outlines, EmptyMask) {
  const Outlines outlines = FindOutlines(RunsOf({"...", "..."}));
  EXPECT_TRUE(outlines.corners.empty());
  EXPECT_TRUE(outlines.rings.empty());
}

TEST(Outlines, FilledAgainGiveTheMask) {
  std::mt19937 random(6);
  for (uint32_t i = 0; i < 300; ++i) {
    const Pixels pixels = testing::RandomPixels(1 + i % 29, 1 + i % 17, 1 + i % 4, random);
    const MaskRuns mask = RunsOf(pixels);
    const Outlines outlines = FindOutlines(mask);
    ASSERT_EQ(Filled(outlines, mask.size()), pixels);
    const Components parts = FindComponents(mask, Connectivity::kEdges);
    std::vector<int64_t> area(outlines.rings.size());
    size_t outer = 0, corners = 0;
    for (size_t r = 0; r < outlines.rings.size(); ++r) {
      const Ring& ring = outlines.rings[r];
      const Corners points = RingOf(outlines, r);
      ASSERT_EQ(ring.first, corners);
      ASSERT_GE(points.size(), 4u);
      corners += points.size();
      outer += ring.outer == r;
      ASSERT_LE(ring.outer, r);
      ASSERT_EQ(TwiceArea(points) > 0, ring.outer == r);
      area[ring.outer] += TwiceArea(points);
      for (size_t p = 0; p < points.size(); ++p) {
        const Corner &a = points[p], &b = points[(p + 1) % points.size()], &c = points[(p + 2) % points.size()];
        ASSERT_NE(a.x == b.x, a.y == b.y) << "sides are horizontal or vertical";
        ASSERT_NE(a.x == b.x, b.x == c.x) << "in turn";
      }
    }
    ASSERT_EQ(corners, outlines.corners.size());
    ASSERT_EQ(outer, parts.area.size());
    // Parts and their outer rings are numbered in the same order.
    for (size_t r = 0, part = 0; r < area.size(); ++r) {
      if (outlines.rings[r].outer == r) {
        ASSERT_EQ(area[r], static_cast<int64_t>(2 * parts.area[part++]));
      }
    }
  }
}

}  // namespace
}  // namespace intsam::internal
