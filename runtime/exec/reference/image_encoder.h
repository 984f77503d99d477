// The image encoder of the reference executor: runs the layers' normative forms one after the other.
#ifndef INTSAM_RUNTIME_EXEC_REFERENCE_IMAGE_ENCODER_H_
#define INTSAM_RUNTIME_EXEC_REFERENCE_IMAGE_ENCODER_H_

#include "runtime/exec/executor.h"
#include "runtime/format/model.h"

namespace intsam::internal::reference {

// As Executor::EncodeImage.
Status EncodeImage(const ImageEncoder& encoder, const uint8_t* rgb, ImageSize size, int16_t* embedding,
                   const StepHook& hook);

}  // namespace intsam::internal::reference

#endif  // INTSAM_RUNTIME_EXEC_REFERENCE_IMAGE_ENCODER_H_
