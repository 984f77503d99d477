// XNNPACK as the library of the FP32 side's linear layers.
#ifndef INTSAM_APPS_BENCH_XNNPACK_H_
#define INTSAM_APPS_BENCH_XNNPACK_H_

#include "converter/fp32/float_sam.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// `threads` as for FloatSam. kUnsupported where this program was built without XNNPACK or the CPU is not one of its.
Result<LinearLibrary> XnnpackLinears(int threads);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BENCH_XNNPACK_H_
