// The proof, at load, that no accumulator can overflow for any image and any prompt (docs/numerics.md 3.4).
// It bounds every partial sum in every order, so that any blocking, thread count and instruction set is exact.
#ifndef INTSAM_RUNTIME_FORMAT_PROOF_H_
#define INTSAM_RUNTIME_FORMAT_PROOF_H_

#include "runtime/base/status.h"
#include "runtime/format/model.h"

namespace intsam {

// Reads every weight once: also fills Linear::column_sums. kDamaged names the first site that cannot be proved.
Status ProveModel(IntegerModel& model);

}  // namespace intsam

#endif  // INTSAM_RUNTIME_FORMAT_PROOF_H_
