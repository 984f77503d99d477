// The MLP's linear layers, ready for the kernels of a tier.
#ifndef INTSAM_RUNTIME_ENCODER_MLP_PREPARED_H_
#define INTSAM_RUNTIME_ENCODER_MLP_PREPARED_H_

#include "runtime/encoder/mlp/mlp.h"
#include "runtime/ops/prepared_linear.h"

namespace intsam::internal {

struct PreparedMlp {
  PreparedLinear lin1, lin2;
  PreparedMlp(const MlpBlock& mlp, uint8_t flip)
      : lin1(OverCodes(mlp.lin1, mlp.norm.out, flip)), lin2(OverCodes(mlp.lin2, mlp.gelu.out, flip)) {}
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_MLP_PREPARED_H_
