#include "runtime/image/components.h"

#include <algorithm>
#include <numeric>

namespace intsam::internal {
namespace {

// Sets of runs, each named after its first one.
class Sets {
 public:
  explicit Sets(size_t runs) : parent_(runs) { std::iota(parent_.begin(), parent_.end(), 0u); }
  uint32_t Find(uint32_t run) {
    while (parent_[run] != run) run = parent_[run] = parent_[parent_[run]];
    return run;
  }
  void Join(uint32_t a, uint32_t b) {
    a = Find(a), b = Find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<uint32_t> parent_;
};

// The mask without the runs whose component is not kept.
MaskRuns Keep(const MaskRuns& mask, const Components& components, const std::vector<bool>& kept) {
  MaskRuns result(mask.size());
  std::vector<PixelRun> row;
  for (uint32_t y = 0; y < mask.rows(); ++y) {
    row.clear();
    for (size_t i = mask.first(y); i < mask.end(y); ++i) {
      if (kept[components.label[i]]) row.push_back(mask.runs()[i]);
    }
    result.Add(row);
  }
  return result;
}

std::vector<bool> LargeOnes(const Components& components, uint64_t min_area) {
  std::vector<bool> large;
  for (const uint64_t area : components.area) large.push_back(area >= min_area);
  return large;
}

bool AllOf(const std::vector<bool>& flags) { return std::find(flags.begin(), flags.end(), false) == flags.end(); }

}  // namespace

Components FindComponents(const MaskRuns& mask, Connectivity connectivity) {
  const uint32_t reach = connectivity == Connectivity::kCorners ? 1 : 0;
  const std::span<const PixelRun> runs = mask.runs();
  Sets sets(runs.size());
  for (uint32_t y = 1; y < mask.rows(); ++y) {
    for (size_t above = mask.first(y - 1), here = mask.first(y); above < mask.end(y - 1) && here < mask.end(y);) {
      const PixelRun &a = runs[above], &b = runs[here];
      if (a.begin < b.end + reach && b.begin < a.end + reach)
        sets.Join(static_cast<uint32_t>(above), static_cast<uint32_t>(here));
      ++(a.end < b.end ? above : here);  // the one that ends first meets nothing further on
    }
  }
  Components components;
  components.label.resize(runs.size());
  for (uint32_t i = 0; i < runs.size(); ++i) {
    const uint32_t first = sets.Find(i);
    if (first == i) {
      components.label[i] = static_cast<uint32_t>(components.area.size());
      components.area.push_back(0);
    }
    components.label[i] = components.label[first];
    components.area[components.label[i]] += runs[i].end - runs[i].begin;
  }
  return components;
}

bool RemoveSmallRegions(uint64_t min_area, MaskRuns& mask) {
  bool changed = false;
  const MaskRuns outside = mask.Inverse();
  const Components holes = FindComponents(outside, Connectivity::kCorners);
  if (const std::vector<bool> large = LargeOnes(holes, min_area); !AllOf(large)) {
    mask = Keep(outside, holes, large).Inverse();
    changed = true;
  }
  const Components islands = FindComponents(mask, Connectivity::kCorners);
  if (std::vector<bool> large = LargeOnes(islands, min_area); !AllOf(large)) {
    const auto largest = std::max_element(islands.area.begin(), islands.area.end());
    large[static_cast<size_t>(largest - islands.area.begin())] = true;
    mask = Keep(mask, islands, large);
    changed = true;
  }
  return changed;
}

}  // namespace intsam::internal
