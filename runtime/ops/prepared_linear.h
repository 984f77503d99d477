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
  int a_max = 255;  // largest code of its input
};

// The zero point of signed values as GEMM operands: from 0 up, so that values of few bits are codes of few bits.
constexpr int OperandZero(const Codes& values) { return 128 - static_cast<int>(values.lo); }
// The largest code of such an operand.
constexpr int OperandMax(const Codes& values) { return static_cast<int>(values.hi) - 128 + OperandZero(values); }

// `linear` has passed the proof and must outlive the result. `flip` is Kernels::flip of the tier.
// A layer over codes:
PreparedLinear OverCodes(const Linear& linear, const Codes& in, uint8_t flip);
// over what attention leaves:
PreparedLinear OverAttention(const Linear& linear, const Softmax& softmax, uint8_t flip);
// over s16 values:
PreparedLinear OverS16(const Linear& linear);
// over what it reads of a stream:
PreparedLinear OverStream(const Linear& linear, const StreamInput& input, uint8_t flip);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_OPS_PREPARED_LINEAR_H_
