// Which kernel tier a session runs on: asked for by name, else INTSAM_ISA, else the best that the CPU supports.
#ifndef INTSAM_RUNTIME_EXEC_SELECT_KERNELS_H_
#define INTSAM_RUNTIME_EXEC_SELECT_KERNELS_H_

#include "kernels/kernels.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// `name`: a tier ("scalar", "avx2", ...), or null or "" for INTSAM_ISA or the best one. A name that is unknown
// (kUsage), or not built or not supported by this CPU (kUnsupported), is an error and never a fallback.
Result<const Kernels*> SelectKernels(const char* name);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_SELECT_KERNELS_H_
