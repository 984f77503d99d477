// The outlines of a mask as polygons along the edges of its pixels.
#ifndef INTSAM_RUNTIME_IMAGE_OUTLINES_H_
#define INTSAM_RUNTIME_IMAGE_OUTLINES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/image/mask_runs.h"

namespace intsam::internal {

// Pixel (x, y) lies between the corners (x, y) and (x + 1, y + 1).
struct Corner {
  uint32_t x, y;
  bool operator==(const Corner&) const = default;
};

// A closed polygon whose sides are horizontal and vertical in turn. The inside is on the right hand of who walks along:
// around a part of the mask clockwise as seen on a screen, around a hole the other way.
struct Ring {
  size_t first, count;  // of Outlines::corners
  size_t outer;         // index of the ring around the part that a hole lies in; the ring's own index where it is none
};

struct Outlines {
  std::vector<Corner> corners;
  std::vector<Ring> rings;  // from top to bottom by their highest points; a hole follows its outer ring
};

// Pixels that share no more than a corner belong to different parts: one ring each, which touch there. What is outside
// is connected across corners, so a hole may touch itself.
Outlines FindOutlines(const MaskRuns& mask);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_OUTLINES_H_
