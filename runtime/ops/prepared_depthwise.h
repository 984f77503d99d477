// Depthwise convolutions made ready for the kernels of one tier, and how they are run. The weights are used as they lie
// in the file.
#ifndef INTSAM_RUNTIME_OPS_PREPARED_DEPTHWISE_H_
#define INTSAM_RUNTIME_OPS_PREPARED_DEPTHWISE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/ops/ops.h"
#include "runtime/records/records.h"

namespace intsam::internal {

// A convolution of codes and its bias, folded for the tier's operand form. `conv` has passed the proof and must outlive
// the result.
struct PreparedDepthwise {
  const Depthwise* conv;
  std::vector<int32_t> bias;

  PreparedDepthwise(const Depthwise& depthwise, const Codes& in, uint8_t flip);
};

namespace ops {

// One row of output: acc[x] for the `count` cells whose left upper taps lie in rows[0] at a distance of `stride` cells.
inline void Convolve(const Kernels& k, const PreparedDepthwise& layer, const uint8_t* const rows[3], uint32_t stride,
                     int count, Rows<int32_t> acc) {
  const Depthwise& conv = *layer.conv;
  k.depthwise_codes({.rows = {rows[0], rows[1], rows[2]},
                     .stride = static_cast<int>(stride),
                     .weight = conv.weight.data(),
                     .bias = layer.bias.data(),
                     .acc = acc.data,
                     .acc_stride = acc.stride,
                     .count = count,
                     .channels = static_cast<int>(conv.channels)});
}
inline void Convolve(const Kernels& k, const Depthwise12& conv, const int16_t* const rows[3], int count,
                     Rows<int32_t> acc) {
  k.depthwise_s16({.rows = {rows[0], rows[1], rows[2]},
                   .stride = 1,
                   .weight = conv.weight.data(),
                   .bias = conv.bias.data(),
                   .acc = acc.data,
                   .acc_stride = acc.stride,
                   .count = count,
                   .channels = static_cast<int>(conv.channels)});
}

}  // namespace ops
}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_OPS_PREPARED_DEPTHWISE_H_
