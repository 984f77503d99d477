#include "runtime/ops/prepared_linear.h"

#include "kernels/kernels.h"

namespace intsam::internal {
namespace {

PreparedLinear OverOperand(const Linear& linear, int zero, int a_max, uint8_t flip) {
  PreparedLinear prepared{&linear, std::vector<int32_t>(linear.padded_out()), a_max};
  for (uint32_t c = 0; c < linear.out; ++c) {
    prepared.bias[c] = FoldBias(linear.bias[c], linear.column_sums[c], zero, flip);
  }
  return prepared;
}

}  // namespace

PreparedLinear OverCodes(const Linear& linear, const Codes& in, uint8_t flip) {
  return OverOperand(linear, static_cast<int>(in.zero), static_cast<int>(in.hi), flip);
}

PreparedLinear OverAttention(const Linear& linear, const Softmax& softmax, uint8_t flip) {
  return OverOperand(linear, OperandZero(softmax.out), OperandMax(softmax.out), flip);
}

PreparedLinear OverS16(const Linear& linear) {
  PreparedLinear prepared{&linear, std::vector<int32_t>(linear.padded_out())};
  for (uint32_t c = 0; c < linear.out; ++c) prepared.bias[c] = linear.bias[c];
  return prepared;
}

PreparedLinear OverStream(const Linear& linear, const StreamInput& input, uint8_t flip) {
  return input.as_values() ? OverS16(linear) : OverCodes(linear, input.codes.out, flip);
}

}  // namespace intsam::internal
