#include "converter/verify/regions.h"

#include <algorithm>
#include <map>

namespace intsam::internal {
namespace {

// Lower envelope of parabolas: in place d[i] = min_j (i - j)^2 + f[j] over one line of `n` values with `stride`.
void TransformLine(int64_t* f, size_t stride, int64_t n, std::vector<int64_t>& vertex, std::vector<int64_t>& start,
                   std::vector<int64_t>& value) {
  // From which integer on does the parabola of q lie at or below the one of p, p < q.
  const auto crossing = [&](int64_t p, int64_t q) {
    const int64_t numerator = value[static_cast<size_t>(q)] + q * q - value[static_cast<size_t>(p)] - p * p,
                  denominator = 2 * (q - p);
    return numerator > 0 ? (numerator + denominator - 1) / denominator : -(-numerator / denominator);
  };
  for (int64_t i = 0; i < n; ++i) value[static_cast<size_t>(i)] = f[static_cast<size_t>(i) * stride];
  size_t top = 0;
  vertex[0] = 0, start[0] = INT64_MIN;
  for (int64_t q = 1; q < n; ++q) {
    int64_t from = crossing(vertex[top], q);
    while (from <= start[top]) from = crossing(vertex[--top], q);
    vertex[++top] = q, start[top] = from;
  }
  for (int64_t i = n - 1; i >= 0; --i) {
    while (start[top] > i) --top;
    const int64_t p = vertex[top];
    f[static_cast<size_t>(i) * stride] = (i - p) * (i - p) + value[static_cast<size_t>(p)];
  }
}

Region MakeRegion(std::span<const uint16_t> labels, ImageSize size, uint16_t label) {
  Region region;
  region.mask.resize(labels.size());
  uint32_t x0 = size.width, y0 = size.height, x1 = 0, y1 = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != label) continue;
    region.mask[i] = 1;
    const uint32_t x = static_cast<uint32_t>(i % size.width), y = static_cast<uint32_t>(i / size.width);
    x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
  }
  region.box = {static_cast<int32_t>(x0 * 64), static_cast<int32_t>(y0 * 64), static_cast<int32_t>(x1 * 64),
                static_cast<int32_t>(y1 * 64)};
  const std::vector<int64_t> distances = SquaredDistances(region.mask, size);
  const size_t farthest = static_cast<size_t>(std::max_element(distances.begin(), distances.end()) - distances.begin());
  region.point = {static_cast<int32_t>(farthest % size.width * 64), static_cast<int32_t>(farthest / size.width * 64),
                  1};
  return region;
}

}  // namespace

std::vector<int64_t> SquaredDistances(std::span<const uint8_t> mask, ImageSize size) {
  const int64_t far = int64_t{size.width} * size.width + int64_t{size.height} * size.height;
  std::vector<int64_t> distances(mask.size());
  for (size_t i = 0; i < mask.size(); ++i) distances[i] = mask[i] != 0 ? far : 0;
  const size_t longest = std::max(size.width, size.height) + 1;
  std::vector<int64_t> vertex(longest), start(longest), value(longest);
  for (uint32_t x = 0; x < size.width; ++x) TransformLine(&distances[x], size.width, size.height, vertex, start, value);
  for (uint32_t y = 0; y < size.height; ++y)
    TransformLine(&distances[size_t{y} * size.width], 1, size.width, vertex, start, value);
  for (int64_t& distance : distances) distance = std::min(distance, far);
  return distances;
}

std::vector<Region> RegionsOf(std::span<const uint16_t> labels, ImageSize size, size_t limit) {
  std::map<uint16_t, uint64_t> areas;
  for (const uint16_t label : labels) ++areas[label];
  std::vector<Region> regions;
  for (const auto& [label, area] : areas) {
    const bool in_range = area * 1000 >= labels.size() * uint64_t{5} && area * 10 <= labels.size() * uint64_t{9};
    if (label != 0 && in_range && regions.size() < limit) regions.push_back(MakeRegion(labels, size, label));
  }
  return regions;
}

double MaskIou(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  uint64_t both = 0, either = 0;
  for (size_t i = 0; i < a.size(); ++i) both += a[i] & b[i], either += a[i] | b[i];
  return either == 0 ? 1 : static_cast<double>(both) / static_cast<double>(either);
}

}  // namespace intsam::internal
