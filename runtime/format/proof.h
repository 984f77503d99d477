// The proof, at load, that no accumulator can overflow for any image and any prompt (docs/numerics.md 3.4).
// It bounds every partial sum in every order, so that any blocking, thread count and instruction set is exact.
#ifndef INTSAM_RUNTIME_FORMAT_PROOF_H_
#define INTSAM_RUNTIME_FORMAT_PROOF_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/format/model.h"

namespace intsam::internal {

// No accumulator may be able to reach more: the rest of s32 is for the half that requantization adds before its shift.
inline constexpr int64_t kAccumulatorMax = INT32_MAX - (1 << 23);

// The channel of one layer that comes nearest to that: |accumulator| <= bound.
struct LayerBound {
  std::string site;
  uint32_t channel = 0;
  int64_t bound = 0;
};

// Reads every weight once: also fills Linear::column_sums. kDamaged names the first site that cannot be proved.
// `report`, unless null, receives the bound of every layer in the order of the proof.
Status ProveModel(IntegerModel& model, std::vector<LayerBound>* report = nullptr);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_FORMAT_PROOF_H_
