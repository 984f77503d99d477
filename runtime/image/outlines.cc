#include "runtime/image/outlines.h"

#include "runtime/image/components.h"

namespace intsam::internal {
namespace {

constexpr size_t kNone = ~size_t{0};

// The two ends of each run are sides of pixels: of run i the left one is 2i, walked upwards, and the right one 2i + 1,
// walked downwards.
class Tracer {
 public:
  explicit Tracer(const MaskRuns& mask) : mask_(mask), row_(mask.runs().size()), next_(2 * mask.runs().size()) {
    for (uint32_t y = 0; y < mask.rows(); ++y) {
      for (size_t i = mask.first(y); i < mask.end(y); ++i) row_[i] = y;
    }
    for (uint32_t y = 0; y <= mask.rows(); ++y) LinkAt(y);
  }

  Outlines Trace() const {
    const Components parts = FindComponents(mask_, Connectivity::kEdges);
    std::vector<size_t> outer(parts.area.size());
    std::vector<bool> walked(next_.size());
    Outlines outlines;
    for (size_t side = 0; side < next_.size(); ++side) {
      if (walked[side]) continue;
      // The first side met of a ring is in its highest row the leftmost one: a left one unless the ring is a hole.
      const size_t ring = outlines.rings.size(), part = parts.label[side / 2];
      if (IsLeft(side)) outer[part] = ring;
      const size_t first = outlines.corners.size();
      for (size_t at = side; !walked[at]; at = next_[at]) {
        walked[at] = true;
        const size_t next = next_[at];
        if (X(next) == X(at)) continue;  // straight on
        const uint32_t y = row_[at / 2] + (IsLeft(at) ? 0 : 1);
        outlines.corners.push_back({X(at), y});
        outlines.corners.push_back({X(next), y});
      }
      outlines.rings.push_back({first, outlines.corners.size() - first, outer[part]});
    }
    return outlines;
  }

 private:
  static bool IsLeft(size_t side) { return side % 2 == 0; }
  uint32_t X(size_t side) const {
    const PixelRun& run = mask_.runs()[side / 2];
    return IsLeft(side) ? run.begin : run.end;
  }

  // Two sides that meet at line y, perhaps along it. One of them is walked towards the line: a right side from above or
  // a left one from below.
  void Link(size_t a, size_t b, uint32_t y) {
    const bool towards = IsLeft(a) == (row_[a / 2] == y);
    (towards ? next_[a] : next_[b]) = towards ? b : a;
  }

  // Joins what ends at line y, between rows y - 1 and y, from left to right.
  void LinkAt(uint32_t y) {
    size_t above = 0, above_end = 0, below = 0, below_end = 0;
    if (y > 0) above = 2 * mask_.first(y - 1), above_end = 2 * mask_.end(y - 1);
    if (y < mask_.rows()) below = 2 * mask_.first(y), below_end = 2 * mask_.end(y);
    size_t open = kNone;  // has a horizontal side to the right
    const auto meet = [&](size_t side) {
      if (open != kNone) {
        Link(open, side, y);
        open = kNone;
      } else {
        open = side;
      }
    };
    while (above < above_end || below < below_end) {
      if (below == below_end || (above < above_end && X(above) < X(below))) {
        meet(above++);
      } else if (above == above_end || X(below) < X(above)) {
        meet(below++);
      } else if (open == kNone) {
        Link(above++, below++, y);  // straight on
      } else if (IsLeft(above)) {
        // Two pixels that touch in a corner, here left below and right above: each keeps its own two sides.
        meet(below++);
        meet(above++);
      } else {
        meet(above++);
        meet(below++);
      }
    }
  }

  const MaskRuns& mask_;
  std::vector<uint32_t> row_;  // of each run
  std::vector<size_t> next_;   // of each side
};

}  // namespace

Outlines FindOutlines(const MaskRuns& mask) { return Tracer(mask).Trace(); }

}  // namespace intsam::internal
