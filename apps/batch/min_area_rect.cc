#include "apps/batch/min_area_rect.h"

#include <algorithm>
#include <cstddef>

namespace intsam::internal {
namespace {

// Of the corner b, seen from a to c: above 0 where the way turns right on a screen (y down).
int64_t Turn(const intsam_corner& a, const intsam_corner& b, const intsam_corner& c) {
  return (int64_t{b.x} - a.x) * (int64_t{c.y} - b.y) - (int64_t{b.y} - a.y) * (int64_t{c.x} - b.x);
}

// The extent of the hull along a direction and across it, in units of the direction's length.
struct Extent {
  int64_t dx, dy;
  int64_t along_min, along_max, across_min, across_max;

  int64_t length2() const { return dx * dx + dy * dy; }
  int64_t product() const { return (along_max - along_min) * (across_max - across_min); }  // area times length2
};

int64_t DividedRounded(int64_t value, int64_t divisor) {  // halves away from 0
  return value >= 0 ? (value + divisor / 2) / divisor : -((-value + divisor / 2) / divisor);
}

__extension__ using Int128 = __int128;

}  // namespace

std::vector<intsam_corner> ConvexHull(std::span<const intsam_corner> corners) {
  std::vector<intsam_corner> sorted(corners.begin(), corners.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const intsam_corner& a, const intsam_corner& b) { return a.y != b.y ? a.y < b.y : a.x < b.x; });
  sorted.erase(std::unique(sorted.begin(), sorted.end(),
                           [](const intsam_corner& a, const intsam_corner& b) { return a.x == b.x && a.y == b.y; }),
               sorted.end());
  if (sorted.size() < 3) return sorted;
  // Down the right side, then up the left one (Andrew's monotone chains).
  std::vector<intsam_corner> hull;
  const auto extend = [&hull](const intsam_corner& corner, size_t fixed) {
    while (hull.size() > fixed && Turn(hull[hull.size() - 2], hull.back(), corner) <= 0) hull.pop_back();
    hull.push_back(corner);
  };
  for (const intsam_corner& corner : sorted) extend(corner, 1);
  const size_t right = hull.size();
  for (auto corner = sorted.rbegin() + 1; corner != sorted.rend(); ++corner) extend(*corner, right);
  hull.pop_back();  // the first one again
  return hull;
}

std::array<HundredthsPoint, 4> MinAreaRect(std::span<const intsam_corner> corners) {
  const std::vector<intsam_corner> hull = ConvexHull(corners);
  const size_t n = hull.size();
  const auto along = [&](const Extent& e, size_t i) { return hull[i % n].x * e.dx + hull[i % n].y * e.dy; };
  const auto across = [&](const Extent& e, size_t i) { return hull[i % n].y * e.dx - hull[i % n].x * e.dy; };
  Extent best = {};
  // The farthest corners move around the hull as the side does (rotating calipers).
  size_t last = 1, far = 1, first = 0;
  for (size_t side = 0; side < n; ++side) {
    const intsam_corner &from = hull[side], &to = hull[(side + 1) % n];
    Extent e = {int64_t{to.x} - from.x, int64_t{to.y} - from.y, 0, 0, 0, 0};
    last = std::max(last, side + 1);
    while (along(e, last + 1) >= along(e, last) && last + 1 < side + n) ++last;
    far = std::max(far, last);
    while (across(e, far + 1) >= across(e, far) && far + 1 < side + n) ++far;
    first = std::max(first, far);
    while (along(e, first + 1) <= along(e, first) && first + 1 < side + n) ++first;
    e.along_min = std::min(along(e, first), along(e, side)), e.along_max = along(e, last);
    e.across_min = across(e, side), e.across_max = across(e, far);
    const Int128 ours = Int128{e.product()} * best.length2(), theirs = Int128{best.product()} * e.length2();
    if (side == 0 || ours < theirs) best = e;
  }
  const auto corner = [&best](int64_t u, int64_t v) {
    return HundredthsPoint{DividedRounded(100 * (u * best.dx - v * best.dy), best.length2()),
                           DividedRounded(100 * (u * best.dy + v * best.dx), best.length2())};
  };
  return {corner(best.along_min, best.across_min), corner(best.along_max, best.across_min),
          corner(best.along_max, best.across_max), corner(best.along_min, best.across_max)};
}

std::string HundredthsText(int64_t hundredths) {
  const int64_t magnitude = hundredths < 0 ? -hundredths : hundredths;
  return (hundredths < 0 ? "-" : "") + std::to_string(magnitude / 100) + "." +
         std::to_string(100 + magnitude % 100).substr(1);
}

}  // namespace intsam::internal
