// The neck's convolutions, ready for the kernels of a tier.
#ifndef INTSAM_RUNTIME_ENCODER_NECK_PREPARED_H_
#define INTSAM_RUNTIME_ENCODER_NECK_PREPARED_H_

#include "runtime/encoder/neck/neck.h"
#include "runtime/ops/prepared_linear.h"

namespace intsam::internal {

struct PreparedNeck {
  PreparedLinear conv1, conv2;
  PreparedNeck(const Neck& neck, uint8_t flip)
      : conv1(OverCodes(neck.conv1, neck.in.out, flip)), conv2(OverCodes(neck.conv2, neck.norm1.out, flip)) {}
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_ENCODER_NECK_PREPARED_H_
