// Relative positions made ready for the kernels: the table as positions side by side.
#ifndef INTSAM_RUNTIME_OPS_PREPARED_REL_POS_H_
#define INTSAM_RUNTIME_OPS_PREPARED_REL_POS_H_

#include <cstdint>
#include <vector>

#include "runtime/records/records.h"

namespace intsam::internal {

// `rel` must outlive the result.
struct PreparedRelPos {
  const RelPos* rel;
  std::vector<int16_t> pairs;  // as RelativePosition reads them, all 2 * side - 1 positions
  std::vector<int32_t> bias;   // likewise
  PreparedRelPos(const RelPos& rel, const Codes& queries);
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_OPS_PREPARED_REL_POS_H_
