// What intsam-inspect says about this build and this machine; no model is needed.
#ifndef INTSAM_APPS_INSPECT_MACHINE_REPORT_H_
#define INTSAM_APPS_INSPECT_MACHINE_REPORT_H_

#include <nlohmann/json.hpp>

#include "runtime/base/status.h"

namespace intsam::internal {

// The tiers that are built, best first: which of them this CPU supports, and which a session would take (INTSAM_ISA
// included). An INTSAM_ISA that no session would accept is an error here too.
Result<nlohmann::ordered_json> KernelsReport();

// Every limit on what a file may ask for.
nlohmann::ordered_json LimitsReport();

}  // namespace intsam::internal

#endif  // INTSAM_APPS_INSPECT_MACHINE_REPORT_H_
