#include "runtime/records/weight_sums.h"

#include <algorithm>

#include "kernels/numerics/packed_weights.h"

namespace intsam::internal {
namespace {

// Partial sums are kept in lanes of one group and as narrow as they fit: this reads the whole model at every load.
constexpr uint32_t kSpan = 256;       // packed groups whose sums of at most 127 each stay inside s16
constexpr uint32_t kPanelSpan = 255;  // groups of s8: of at most 128 each

void AddLanes(WeightSums& sums, uint32_t panel, const int32_t (&sum)[kGroup], const int32_t (&magnitude)[kGroup]) {
  for (uint32_t lane = 0; lane < kGroup; ++lane) {
    sums.sum[panel * 16 + lane / 4] += sum[lane];
    sums.magnitude[panel * 16 + lane / 4] += magnitude[lane];
  }
}

WeightSums Zeros(uint32_t panels) { return {std::vector<int32_t>(panels * 16), std::vector<int32_t>(panels * 16)}; }

template <int kBits>
WeightSums SumPacked(const Linear& linear) {
  constexpr uint32_t kBlock = 256 >> kBits;  // groups whose sums stay inside u8
  const uint32_t panels = linear.padded_out() / 16, steps = linear.in / 4;
  WeightSums sums = Zeros(panels);
  const uint8_t* packed = linear.packed.data();
  for (uint32_t panel = 0; panel < panels; ++panel) {
    uint8_t zero[kGroup];
    for (uint32_t lane = 0; lane < kGroup; ++lane) zero[lane] = linear.zero[panel * 16 + lane / 4];
    int32_t sum[kGroup] = {}, magnitude[kGroup] = {};
    for (uint32_t span = 0; span < steps; span += kSpan) {
      uint16_t span_sum[kGroup] = {}, span_magnitude[kGroup] = {};
      for (uint32_t step = span; step < std::min(steps, span + kSpan);) {
        uint8_t part[kGroup] = {}, part_magnitude[kGroup] = {};
        for (const uint32_t stop = std::min(steps, step + kBlock); step < stop; ++step, packed += GroupBytes(kBits)) {
          const GroupCodes u = UnpackGroup(packed, kBits);
          for (size_t lane = 0; lane < kGroup; ++lane) {
            const uint8_t distance =
                static_cast<uint8_t>(std::max(u[lane], zero[lane]) - std::min(u[lane], zero[lane]));
            part[lane] = static_cast<uint8_t>(part[lane] + u[lane]);
            part_magnitude[lane] = static_cast<uint8_t>(part_magnitude[lane] + distance);
          }
        }
        for (int lane = 0; lane < kGroup; ++lane) {
          span_sum[lane] = static_cast<uint16_t>(span_sum[lane] + part[lane]);
          span_magnitude[lane] = static_cast<uint16_t>(span_magnitude[lane] + part_magnitude[lane]);
        }
      }
      for (int lane = 0; lane < kGroup; ++lane) sum[lane] += span_sum[lane], magnitude[lane] += span_magnitude[lane];
    }
    for (int lane = 0; lane < kGroup; ++lane) sum[lane] -= static_cast<int32_t>(steps) * zero[lane];
    AddLanes(sums, panel, sum, magnitude);
  }
  return sums;
}

template <class T>
WeightSums SumOverTaps(View<T> weight, uint32_t channels) {
  WeightSums sums{std::vector<int32_t>(channels), std::vector<int32_t>(channels)};
  for (size_t i = 0; i < weight.size(); ++i) {
    sums.sum[i % channels] += weight[i];
    sums.magnitude[i % channels] += weight[i] < 0 ? -weight[i] : weight[i];
  }
  return sums;
}

}  // namespace

WeightSums SumPanels(View<int8_t> panels, uint32_t in, uint32_t out) {
  const uint32_t n = (out + 15) / 16;
  WeightSums sums = Zeros(n);
  const int8_t* w = panels.data();
  for (uint32_t panel = 0; panel < n; ++panel) {
    int32_t sum[kGroup] = {}, magnitude[kGroup] = {};
    for (uint32_t step = 0; step < in / 4;) {
      int16_t part[kGroup] = {}, part_magnitude[kGroup] = {};
      for (const uint32_t stop = std::min(in / 4, step + kPanelSpan); step < stop; ++step, w += kGroup) {
        for (int lane = 0; lane < kGroup; ++lane) {
          const int16_t x = w[lane];
          part[lane] = static_cast<int16_t>(part[lane] + x);
          part_magnitude[lane] = static_cast<int16_t>(part_magnitude[lane] + (x < 0 ? -x : x));
        }
      }
      for (int lane = 0; lane < kGroup; ++lane) sum[lane] += part[lane], magnitude[lane] += part_magnitude[lane];
    }
    AddLanes(sums, panel, sum, magnitude);
  }
  return sums;
}

WeightSums SumWeights(const Linear& linear) {
  switch (linear.bits) {
    case 4: return SumPacked<4>(linear);
    case 5: return SumPacked<5>(linear);
    case 6: return SumPacked<6>(linear);
    case 7: return SumPacked<7>(linear);
    default: return SumPanels(linear.weight, linear.in, linear.out);
  }
}

WeightSums SumTaps(View<int8_t> weight, uint32_t channels) { return SumOverTaps(weight, channels); }
WeightSums SumTaps(View<int16_t> weight, uint32_t channels) { return SumOverTaps(weight, channels); }

}  // namespace intsam::internal
