// The proof of a whole model (see runtime/records/proof.h).
#ifndef INTSAM_RUNTIME_FORMAT_PROOF_H_
#define INTSAM_RUNTIME_FORMAT_PROOF_H_

#include <vector>

#include "runtime/base/status.h"
#include "runtime/format/model.h"
#include "runtime/records/proof.h"

namespace intsam::internal {

// Reads every weight once: also fills Linear::column_sums. kDamaged names the first site that cannot be proved.
// `report`, unless null, receives the bound of every layer in the order of the proof.
Status ProveModel(IntegerModel& model, std::vector<LayerBound>* report = nullptr);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_FORMAT_PROOF_H_
