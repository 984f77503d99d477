#include "runtime/ops/prepared_depthwise.h"

namespace intsam::internal {

PreparedDepthwise::PreparedDepthwise(const Depthwise& depthwise, const Codes& in, uint8_t flip)
    : conv(&depthwise), bias(depthwise.channels) {
  for (uint32_t c = 0; c < depthwise.channels; ++c) {
    bias[c] = FoldBias(depthwise.bias[c], depthwise.column_sums[c], static_cast<int>(in.zero), flip);
  }
}

}  // namespace intsam::internal
