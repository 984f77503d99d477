// The rectangle of least area around an outline, at any angle, in integers.
#ifndef INTSAM_APPS_BATCH_MIN_AREA_RECT_H_
#define INTSAM_APPS_BATCH_MIN_AREA_RECT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "intsam/intsam.h"

namespace intsam::internal {

struct HundredthsPoint {
  int64_t x, y;  // 1/100 pixel
};

// Corners of the convex hull in the order of intsam_mask_outlines, without those on a straight side, from the leftmost
// of the topmost ones. Coordinates below 2^16 in size.
std::vector<intsam_corner> ConvexHull(std::span<const intsam_corner> corners);

// One side of such a rectangle lies on a side of the hull: each is tried, and the first of equals in the hull's order
// is taken. Corners are exact to half of 1/100 pixel and go around as those of the hull do. `corners` must not all lie
// on one line, which those of a mask never do.
std::array<HundredthsPoint, 4> MinAreaRect(std::span<const intsam_corner> corners);

// "-12.05"
std::string HundredthsText(int64_t hundredths);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_MIN_AREA_RECT_H_
