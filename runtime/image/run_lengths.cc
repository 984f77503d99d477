#include "runtime/image/run_lengths.h"

#include <algorithm>
#include <limits>

namespace intsam::internal {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();  // no further change in this row

// body(begin, end) for each stretch of pixels, maximal, that are inside in one of two rows only.
template <class Body>
void ForDifferences(std::span<const PixelRun> a, std::span<const PixelRun> b, const Body& body) {
  const auto change = [](std::span<const PixelRun> row, size_t i) {
    if (i / 2 >= row.size()) return kNone;
    return i % 2 == 0 ? row[i / 2].begin : row[i / 2].end;
  };
  uint32_t begin = 0;
  bool differ = false;
  for (size_t i = 0, j = 0;;) {
    const uint32_t at_a = change(a, i), at_b = change(b, j), x = std::min(at_a, at_b);
    if (x == kNone) return;
    i += at_a == x, j += at_b == x;
    if (at_a == at_b) continue;  // both rows change: they differ as before
    if (differ) body(begin, x);
    differ = !differ, begin = x;
  }
}

}  // namespace

// A column changes where two rows differ. These places are sorted into the columns by counting.
std::vector<uint32_t> ColumnRunLengths(const MaskRuns& mask) {
  const ImageSize size = mask.size();
  const auto for_changes = [&](const auto& body) {
    for (uint32_t y = 1; y < size.height; ++y)
      ForDifferences(mask.Row(y - 1), mask.Row(y), [&](uint32_t begin, uint32_t end) { body(y, begin, end); });
  };
  std::vector<uint32_t> end(size_t{size.width} + 1);  // of each column's changes, behind those of the columns before
  for_changes([&](uint32_t, uint32_t x0, uint32_t x1) { ++end[x0], --end[x1]; });
  uint32_t in_column = 0, total = 0;
  for (uint32_t x = 0; x < size.width; ++x) {
    in_column += end[x];
    end[x] = total;  // where the column's next change goes
    total += in_column;
  }
  std::vector<uint32_t> changes(total);
  for_changes([&](uint32_t y, uint32_t x0, uint32_t x1) {
    for (uint32_t x = x0; x < x1; ++x) changes[end[x]++] = y;
  });

  std::vector<uint32_t> lengths;
  lengths.reserve(size_t{total} + 2);
  uint32_t last = 0, change = 0;
  bool inside = false;  // of the pixel before
  const auto turn = [&](uint32_t pixel) { lengths.push_back(pixel - last), last = pixel, inside = !inside; };
  std::span<const PixelRun> top = mask.Row(0);
  for (uint32_t x = 0; x < size.width; ++x) {
    while (!top.empty() && top.front().end <= x) top = top.subspan(1);
    const bool begins_inside = !top.empty() && top.front().begin <= x;
    if (begins_inside != inside) turn(x * size.height);
    for (; change < end[x]; ++change) turn(x * size.height + changes[change]);
  }
  lengths.push_back(size.width * size.height - last);
  return lengths;
}

std::string CocoString(std::span<const uint32_t> lengths) {
  std::string text;
  for (size_t i = 0; i < lengths.size(); ++i) {
    int64_t value = lengths[i];
    if (i > 2) value -= lengths[i - 2];
    for (bool more = true; more;) {
      int group = static_cast<int>(value & 0x1f);
      value >>= 5;
      more = value != ((group & 0x10) != 0 ? -1 : 0);  // the group's highest bit is the sign of all that is left out
      if (more) group |= 0x20;
      text.push_back(static_cast<char>('0' + group));
    }
  }
  return text;
}

}  // namespace intsam::internal
