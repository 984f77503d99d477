#include "runtime/everything/crops.h"

#include <algorithm>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {

std::vector<Crop> CropsOf(ImageSize photo, uint32_t layers, int32_t overlap_q30) {
  std::vector<Crop> crops = {{0, 0, photo.width, photo.height, 0}};
  const uint64_t shorter = std::min(photo.width, photo.height);
  for (uint32_t layer = 1; layer <= layers; ++layer) {
    const uint64_t per_side = uint64_t{1} << layer;
    const uint64_t overlap = (static_cast<uint64_t>(overlap_q30) * shorter * 2 / per_side) >> 30;
    const auto length_of = [&](uint64_t all) { return (overlap * (per_side - 1) + all + per_side - 1) / per_side; };
    const uint64_t width = length_of(photo.width), height = length_of(photo.height);
    for (uint64_t column = 0; column < per_side; ++column) {
      for (uint64_t row = 0; row < per_side; ++row) {
        const uint64_t x = (width - overlap) * column, y = (height - overlap) * row;
        if (x >= photo.width || y >= photo.height) continue;
        crops.push_back({static_cast<uint32_t>(x), static_cast<uint32_t>(y),
                         static_cast<uint32_t>(std::min<uint64_t>(x + width, photo.width)),
                         static_cast<uint32_t>(std::min<uint64_t>(y + height, photo.height)), layer});
      }
    }
  }
  return crops;
}

std::vector<PointPrompt> GridOf(ImageSize crop, uint32_t per_side) {
  const auto middle = [&](uint32_t i, uint32_t length) {
    return static_cast<int32_t>(FloorDivideRound((2 * int64_t{i} + 1) * length * 64, 2 * int64_t{per_side}));
  };
  std::vector<PointPrompt> points;
  points.reserve(size_t{per_side} * per_side);
  for (uint32_t y = 0; y < per_side; ++y) {
    for (uint32_t x = 0; x < per_side; ++x) points.push_back({middle(x, crop.width), middle(y, crop.height), 1});
  }
  return points;
}

}  // namespace intsam::internal
