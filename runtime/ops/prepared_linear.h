// Linear layers made ready for the GEMM kernels of one tier. The weights themselves are used as they lie in the file.
#ifndef INTSAM_RUNTIME_OPS_PREPARED_LINEAR_H_
#define INTSAM_RUNTIME_OPS_PREPARED_LINEAR_H_

#include <cstdint>
#include <vector>

#include "runtime/records/records.h"

namespace intsam::internal {

// A linear layer and its bias, folded for the tier's operand form and padded to whole panels.
struct PreparedLinear {
  const Linear* linear = nullptr;
  std::vector<int32_t> bias;
  int a_max = 255;  // largest code of its input, as operand
  int zero = 0;     // and its zero point
};

// What attention computes with are codes less 128, in s8. As GEMM operands they are codes from 0 up, so that values of
// few bits are codes of few bits: what makes them so, their zero point then, and the largest.
constexpr int OperandShift(const Codes& values) { return 128 - static_cast<int>(values.lo); }
constexpr int OperandZero(const Codes& values) { return static_cast<int>(values.zero) - static_cast<int>(values.lo); }
constexpr int OperandMax(const Codes& values) { return static_cast<int>(values.hi) - static_cast<int>(values.lo); }

// `linear` has passed the proof and must outlive the result. `flip` is Kernels::flip of the tier.
// A layer over codes:
PreparedLinear OverCodes(const Linear& linear, const Codes& in, uint8_t flip);
// over what attention leaves:
PreparedLinear OverAttention(const Linear& linear, const Softmax& softmax, uint8_t flip);
// over s16 values:
PreparedLinear OverS16(const Linear& linear);
// over what it reads of a stream:
PreparedLinear OverStream(const Linear& linear, const StreamInput& input, uint8_t flip);

// What the shifts of the weights (Linear::shift) add to `rows` rows of accumulators, of `count` channels from `first`
// on: the shift times the sum of the row's codes, less their zero points. a: [rows][in], XORed with flip.
void AddShifts(const PreparedLinear& layer, const uint8_t* a, size_t a_stride, uint8_t flip, int rows, uint32_t first,
               int count, int32_t* acc, size_t acc_stride);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_OPS_PREPARED_LINEAR_H_
