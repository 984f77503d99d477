// Connected regions of a mask, and their removal where they are small.
#ifndef INTSAM_RUNTIME_IMAGE_COMPONENTS_H_
#define INTSAM_RUNTIME_IMAGE_COMPONENTS_H_

#include <cstdint>
#include <vector>

#include "runtime/image/mask_runs.h"

namespace intsam::internal {

// Which pixels touch: those that share an edge, or a corner as well.
enum class Connectivity { kEdges, kCorners };

struct Components {
  std::vector<uint32_t> label;  // of each run of the mask; numbered by their first runs
  std::vector<uint64_t> area;   // of each component
};
Components FindComponents(const MaskRuns& mask, Connectivity connectivity);

// As the original package does: fills the holes below `min_area` pixels, parts of the outside that reach the edge of
// the picture included, then removes the parts of the inside below it, or all but the first of the largest where all
// are. Corners connect. Returns whether anything changed.
bool RemoveSmallRegions(uint64_t min_area, MaskRuns& mask);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_IMAGE_COMPONENTS_H_
