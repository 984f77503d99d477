// The image encoder of the reference executor.
#ifndef INTSAM_RUNTIME_EXEC_REFERENCE_IMAGE_ENCODER_H_
#define INTSAM_RUNTIME_EXEC_REFERENCE_IMAGE_ENCODER_H_

#include "runtime/exec/executor.h"
#include "runtime/exec/prepare.h"

namespace intsam::internal::reference {

// As Executor::EncodeImage. `p` is prepared for the scalar kernels.
Status EncodeImage(const PreparedModel& p, const uint8_t* rgb, ImageSize size, int16_t* embedding,
                   const StepHook& hook);

}  // namespace intsam::internal::reference

#endif  // INTSAM_RUNTIME_EXEC_REFERENCE_IMAGE_ENCODER_H_
