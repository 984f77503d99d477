// Sums over the input channels of a layer's weights, which the proof and the folded biases are made of.
#ifndef INTSAM_RUNTIME_RECORDS_WEIGHT_SUMS_H_
#define INTSAM_RUNTIME_RECORDS_WEIGHT_SUMS_H_

#include <cstdint>
#include <vector>

#include "runtime/records/records.h"

namespace intsam::internal {

// Per output channel, of linear layers padded to 16: sum of w and of |w|.
struct WeightSums {
  std::vector<int32_t> sum, magnitude;
};

// Of s8 panels [out padded to 16 / 16][in / 4][16][4].
WeightSums SumPanels(View<int8_t> panels, uint32_t in, uint32_t out);
// Of a layer of either form, read once.
WeightSums SumWeights(const Linear& linear);
// Of the taps of a depthwise convolution, [taps][channels].
WeightSums SumTaps(View<int8_t> weight, uint32_t channels);
WeightSums SumTaps(View<int16_t> weight, uint32_t channels);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_RECORDS_WEIGHT_SUMS_H_
