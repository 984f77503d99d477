// Masks as bits, and what they cover.
#include "apps/common/bit_mask.h"

#include <algorithm>

namespace intsam::internal {
namespace {

// The pixel of `from` under the centre of pixel i of `to`.
uint32_t UnderCentre(uint32_t i, uint32_t from, uint32_t to) {
  return static_cast<uint32_t>((2 * uint64_t{i} + 1) * from / (2 * uint64_t{to}));
}

}  // namespace

BitMask PackMask(const uint8_t* mask, ImageSize from, ImageSize to) {
  BitMask packed{to, std::vector<uint8_t>(BitMask::Bytes(to))};
  std::vector<uint32_t> columns(to.width);
  for (uint32_t x = 0; x < to.width; ++x) columns[x] = UnderCentre(x, from.width, to.width);
  for (uint32_t y = 0; y < to.height; ++y) {
    const uint8_t* row = mask + size_t{UnderCentre(y, from.height, to.height)} * from.width;
    uint8_t* bits = packed.bits.data() + y * packed.stride();
    for (uint32_t x = 0; x < to.width; ++x) bits[x / 8] |= static_cast<uint8_t>((row[columns[x]] != 0) << x % 8);
  }
  return packed;
}

void UnpackMask(const BitMask& mask, std::vector<uint8_t>& bytes) {
  bytes.resize(size_t{mask.size.width} * mask.size.height);
  uint8_t* out = bytes.data();
  for (uint32_t y = 0; y < mask.size.height; ++y) {
    for (uint32_t x = 0; x < mask.size.width; ++x) *out++ = mask.At(x, y);
  }
}

MaskExtent MeasureMask(const uint8_t* mask, ImageSize size) {
  MaskExtent extent;
  uint32_t left = size.width, right = 0, top = size.height, bottom = 0;  // right and bottom: one beyond
  for (uint32_t y = 0; y < size.height; ++y) {
    const uint8_t* row = mask + size_t{y} * size.width;
    const auto count = static_cast<uint64_t>(std::count_if(row, row + size.width, [](uint8_t m) { return m != 0; }));
    if (count == 0) continue;
    extent.area += count;
    top = std::min(top, y);
    bottom = y + 1;
    const auto inside = [](uint8_t m) { return m != 0; };
    left = std::min(left, static_cast<uint32_t>(std::find_if(row, row + size.width, inside) - row));
    uint32_t end = size.width;
    while (row[end - 1] == 0) --end;
    right = std::max(right, end);
  }
  if (extent.area != 0) extent.x = left, extent.y = top, extent.width = right - left, extent.height = bottom - top;
  return extent;
}

}  // namespace intsam::internal
