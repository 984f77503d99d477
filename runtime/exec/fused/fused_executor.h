// The executor users get: row-blocked, fused, threaded, on the kernels of one tier. Bit-identical to exec/reference.
// Memory is one arena, laid out and allocated when the executor is made, and that of the lanes, which the first batch
// with use for them allocates; nothing else is allocated per image or prompt.
#ifndef INTSAM_RUNTIME_EXEC_FUSED_FUSED_EXECUTOR_H_
#define INTSAM_RUNTIME_EXEC_FUSED_FUSED_EXECUTOR_H_

#include <memory>

#include "runtime/base/thread_pool.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/prepare.h"

namespace intsam::internal {

// `prepared` and `parallel` must outlive the executor. One caller at a time.
std::unique_ptr<Executor> MakeFusedExecutor(const PreparedModel& prepared, Parallel& parallel);

// Bytes of the arena that MakeFusedExecutor takes.
size_t FusedArenaBytes(const IntegerModel& model, int workers);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_FUSED_FUSED_EXECUTOR_H_
