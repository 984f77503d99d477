// What a run is about, as the first line of its manifest says it.
#ifndef INTSAM_APPS_BATCH_ABOUT_H_
#define INTSAM_APPS_BATCH_ABOUT_H_

#include <string>

#include "apps/batch/settings.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// A line of JSON with everything that decides about results, and nothing else: two runs with the same line give the
// same results. Files count by their content.
Result<std::string> AboutRun(const BatchSettings& settings);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_ABOUT_H_
