#include "runtime/everything/suppress.h"

#include <algorithm>
#include <numeric>

namespace intsam::internal {
namespace {

int64_t Area(const PixelBox& box) { return int64_t{box.x1 - box.x0} * (box.y1 - box.y0); }

int64_t Intersection(const PixelBox& a, const PixelBox& b) {
  const int64_t width = int64_t{std::min(a.x1, b.x1)} - std::max(a.x0, b.x0);
  const int64_t height = int64_t{std::min(a.y1, b.y1)} - std::max(a.y0, b.y0);
  return std::max<int64_t>(width, 0) * std::max<int64_t>(height, 0);
}

}  // namespace

std::vector<size_t> Suppress(const std::vector<PixelBox>& boxes, const std::vector<int64_t>& scores,
                             int32_t threshold_q30) {
  std::vector<size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  std::vector<size_t> kept;
  for (const size_t i : order) {
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](size_t k) {
      const int64_t common = Intersection(boxes[i], boxes[k]);  // at most 2^30, as an area: both products fit
      const int64_t all = Area(boxes[i]) + Area(boxes[k]) - common;
      return (common << 30) > threshold_q30 * all;
    });
    if (!suppressed) kept.push_back(i);
  }
  return kept;
}

}  // namespace intsam::internal
