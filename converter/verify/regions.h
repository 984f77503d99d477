// Prompts and regions from human label maps, by the evaluation convention of docs/accuracy.md.
#ifndef INTSAM_CONVERTER_VERIFY_REGIONS_H_
#define INTSAM_CONVERTER_VERIFY_REGIONS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/exec/executor.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

struct Region {
  std::vector<uint8_t> mask;  // [height][width], 0 or 1
  PointPrompt point;          // the pixel farthest from the region's border
  BoxPrompt box;              // tight
};

// Regions of 0.5 % to 90 % of the photo, in ascending order of their labels, at most `limit`. Label 0 is no region.
std::vector<Region> RegionsOf(std::span<const uint16_t> labels, ImageSize size, size_t limit);

// Squared Euclidean distance of every pixel to the nearest zero of `mask`, exact; a mask without zeros gives the
// squared diagonal everywhere (Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", 2012).
std::vector<int64_t> SquaredDistances(std::span<const uint8_t> mask, ImageSize size);

// Intersection over union of two masks; 1 when both are empty.
double MaskIou(std::span<const uint8_t> a, std::span<const uint8_t> b);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_VERIFY_REGIONS_H_
