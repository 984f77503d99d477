#include "runtime/ops/prepared_linear.h"

#include "kernels/kernels.h"

namespace intsam::internal {
namespace {

PreparedLinear OverOperand(const Linear& linear, int zero, int a_max, uint8_t flip) {
  PreparedLinear prepared{&linear, std::vector<int32_t>(linear.padded_out()), a_max, zero};
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

void AddShifts(const PreparedLinear& layer, const uint8_t* a, size_t a_stride, uint8_t flip, int rows, uint32_t first,
               int count, int32_t* acc, size_t acc_stride) {
  const Linear& linear = *layer.linear;
  const int16_t* shift = linear.shift.data() + first;
  for (int i = 0; i < rows; ++i, a += a_stride, acc += acc_stride) {
    int32_t sum = -layer.zero * static_cast<int32_t>(linear.in);
    for (uint32_t k = 0; k < linear.in; ++k) sum += a[k] ^ flip;
    for (int j = 0; j < count; ++j) acc[j] += shift[j] * sum;
  }
}

}  // namespace intsam::internal
