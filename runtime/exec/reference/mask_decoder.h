// Prompt encoder and mask decoder of the reference executor.
#ifndef INTSAM_RUNTIME_EXEC_REFERENCE_MASK_DECODER_H_
#define INTSAM_RUNTIME_EXEC_REFERENCE_MASK_DECODER_H_

#include "runtime/exec/executor.h"
#include "runtime/exec/prepare.h"

namespace intsam::internal::reference {

// As Executor::Decode, on this embedding. `p` is prepared for the scalar kernels.
Status Decode(const PreparedModel& p, const int16_t* embedding, const Frame& frame, const Prompt& prompt,
              int16_t* low_res, int16_t* iou, const StepHook& hook);

}  // namespace intsam::internal::reference

#endif  // INTSAM_RUNTIME_EXEC_REFERENCE_MASK_DECODER_H_
