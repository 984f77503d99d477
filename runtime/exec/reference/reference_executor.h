// The normative executor: every step over whole tensors with the scalar kernels, one after the other. It exists to be
// read and to be right; exec/fused equals it bit for bit. It allocates as it goes and is slow.
#ifndef INTSAM_RUNTIME_EXEC_REFERENCE_REFERENCE_EXECUTOR_H_
#define INTSAM_RUNTIME_EXEC_REFERENCE_REFERENCE_EXECUTOR_H_

#include <memory>

#include "runtime/exec/executor.h"
#include "runtime/exec/prepare.h"

namespace intsam::internal {

// `model` must outlive the executor.
std::unique_ptr<Executor> MakeReferenceExecutor(const IntegerModel& model);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_REFERENCE_REFERENCE_EXECUTOR_H_
