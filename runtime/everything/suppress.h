// Non-maximum suppression: of boxes that overlap much, the best one stays.
#ifndef INTSAM_RUNTIME_EVERYTHING_SUPPRESS_H_
#define INTSAM_RUNTIME_EVERYTHING_SUPPRESS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/image/mask_runs.h"

namespace intsam::internal {

// Indices of the boxes that stay, best first. A box goes when its IoU with one that stays is above threshold_q30 /
// 2^30. Of equal scores the first is better. A box is as wide as the difference of its coordinates, as in the original
// package, so that of a single column has no area and overlaps nothing.
std::vector<size_t> Suppress(const std::vector<PixelBox>& boxes, const std::vector<int64_t>& scores,
                             int32_t threshold_q30);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EVERYTHING_SUPPRESS_H_
