#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "apps/batch/min_area_rect.h"

namespace intsam::internal {
namespace {

struct Point {
  double x, y;
};

double Cross(Point a, Point b, Point c) { return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x); }

std::vector<Point> Pixels(const std::array<HundredthsPoint, 4>& rect) {
  std::vector<Point> points;
  for (const HundredthsPoint& p : rect) {
    points.push_back({static_cast<double>(p.x) / 100, static_cast<double>(p.y) / 100});
  }
  return points;
}

double Area(const std::vector<Point>& polygon) {
  double twice = 0;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const Point a = polygon[i], b = polygon[(i + 1) % polygon.size()];
    twice += a.x * b.y - a.y * b.x;
  }
  return twice / 2;
}

// Of all rectangles with a side through two of the points, without hull and calipers.
double LeastArea(const std::vector<intsam_corner>& corners) {
  double least = 1e30;
  for (const intsam_corner& a : corners) {
    for (const intsam_corner& b : corners) {
      const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
      if (length2 == 0) continue;
      double u[2] = {1e30, -1e30}, v[2] = {1e30, -1e30};
      for (const intsam_corner& c : corners) {
        const double along = c.x * dx + c.y * dy, across = c.y * dx - c.x * dy;
        u[0] = std::min(u[0], along), u[1] = std::max(u[1], along);
        v[0] = std::min(v[0], across), v[1] = std::max(v[1], across);
      }
      least = std::min(least, (u[1] - u[0]) * (v[1] - v[0]) / length2);
    }
  }
  return least;
}

TEST(ConvexHull, LeavesOutWhatIsInsideAndOnSides) {
  const std::vector<intsam_corner> corners = {{2, 0}, {4, 0}, {4, 2}, {3, 1}, {4, 4}, {0, 4}, {0, 0}, {2, 4}, {0, 0}};
  const std::vector<intsam_corner> hull = ConvexHull(corners);
  ASSERT_EQ(hull.size(), 4u);
  const int32_t expected[4][2] = {{0, 0}, {4, 0}, {4, 4}, {0, 4}};
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(hull[i].x == expected[i][0] && hull[i].y == expected[i][1]) << i;
}

TEST(MinAreaRect, OfOnePixel) {
  const std::vector<intsam_corner> corners = {{7, 9}, {8, 9}, {8, 10}, {7, 10}};
  const auto rect = MinAreaRect(corners);
  const int64_t expected[4][2] = {{700, 900}, {800, 900}, {800, 1000}, {700, 1000}};
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(rect[i].x == expected[i][0] && rect[i].y == expected[i][1]) << i;
}

TEST(MinAreaRect, OfADiamond) {
  // A square of side 10 * sqrt(2), which stands on its corner.
  const auto rect = Pixels(MinAreaRect(std::vector<intsam_corner>{{10, 0}, {20, 10}, {10, 20}, {0, 10}}));
  EXPECT_NEAR(Area(rect), 200, 1e-9);
  for (const Point& corner : rect) EXPECT_EQ(std::abs(corner.x - 10) + std::abs(corner.y - 10), 10);
}

TEST(MinAreaRect, RoundsToHundredths) {
  // The long side has the direction (3, 1): corners are multiples of 1/10.
  const auto rect = MinAreaRect(std::vector<intsam_corner>{{0, 0}, {30, 10}, {29, 12}, {1, 3}});
  for (const HundredthsPoint& p : rect) EXPECT_EQ(p.x % 10, 0);
}

TEST(MinAreaRect, IsTheLeastAndHoldsAll) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 2000; ++trial) {
    const int32_t side = trial % 3 == 0 ? 4 : trial % 3 == 1 ? 60 : 32768;
    std::vector<intsam_corner> corners(3 + random() % 20);
    for (intsam_corner& c : corners) {
      c.x = static_cast<int32_t>(random() % static_cast<uint32_t>(side));
      c.y = static_cast<int32_t>(random() % static_cast<uint32_t>(side));
    }
    // As the corners of a mask: never all on one line.
    corners.push_back({corners[0].x + 1, corners[0].y});
    corners.push_back({corners[0].x, corners[0].y + 1});
    const auto rect = Pixels(MinAreaRect(corners));
    const double least = LeastArea(corners), tolerance = 0.02 * (std::sqrt(least) + side) + 1e-3;
    ASSERT_NEAR(Area(rect), least, tolerance) << "trial " << trial;
    for (size_t i = 0; i < 4; ++i) {
      const Point a = rect[i], b = rect[(i + 1) % 4];
      const double length = std::hypot(b.x - a.x, b.y - a.y);
      for (const intsam_corner& c : corners) {
        const double distance = Cross(a, b, {static_cast<double>(c.x), static_cast<double>(c.y)}) / length;
        ASSERT_GE(distance, -0.03) << "trial " << trial;
      }
    }
  }
}

TEST(MinAreaRect, Texts) {
  EXPECT_EQ(HundredthsText(0), "0.00");
  EXPECT_EQ(HundredthsText(-5), "-0.05");
  EXPECT_EQ(HundredthsText(-1205), "-12.05");
  EXPECT_EQ(HundredthsText(3276800), "32768.00");
}

}  // namespace
}  // namespace intsam::internal
