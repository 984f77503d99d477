// Where everything mode looks: the photo, its crops, and the grid of points on each.
#ifndef INTSAM_RUNTIME_EVERYTHING_CROPS_H_
#define INTSAM_RUNTIME_EVERYTHING_CROPS_H_

#include <cstdint>
#include <vector>

#include "runtime/exec/executor.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

// Pixels x0 <= x < x1, y0 <= y < y1 of the photo.
struct Crop {
  uint32_t x0, y0, x1, y1;
  uint32_t layer;  // 0: the whole photo

  ImageSize size() const { return {x1 - x0, y1 - y0}; }
  uint64_t area() const { return uint64_t{x1 - x0} * (y1 - y0); }
  bool operator==(const Crop&) const = default;
};

// The photo, then layer by layer 2^layer crops per side, the columns from left to right and each of them downwards.
// Crops of the first layer overlap by overlap_q30 / 2^30 of the photo's shorter side, those of each further one by half
// as much as the layer before. Crops that lie beyond a very small photo are left out. layers <= 8, overlap <= 2^30.
std::vector<Crop> CropsOf(ImageSize photo, uint32_t layers, int32_t overlap_q30);

// The middles of per_side x per_side equal cells of a crop, row by row, in 1/64 pixel of the crop.
std::vector<PointPrompt> GridOf(ImageSize crop, uint32_t per_side);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EVERYTHING_CROPS_H_
