// What a caller gives, checked before anything is done with it. Every refusal is a sentence that names the argument.
#ifndef INTSAM_RUNTIME_EXEC_CHECK_INPUT_H_
#define INTSAM_RUNTIME_EXEC_CHECK_INPUT_H_

#include "runtime/base/status.h"
#include "runtime/exec/executor.h"
#include "runtime/image/mask_sampling.h"

namespace intsam::internal {

// kUsage for an impossible side, kResource for too many pixels. `what` has them: "image", "mask".
Status CheckImageSize(const char* what, ImageSize size);

// An image that is to be read: its size, and that `stride` bytes hold a row.
Status CheckImage(const uint8_t* pixels, ImageSize size, size_t stride, PixelFormat format);

// What is asked of a mask on an image of this size: a region within it, at a size within the limits of images.
Status CheckView(const MaskView& view, ImageSize original);

// Points, box and mask of one object.
Status CheckPrompt(const Prompt& prompt);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_CHECK_INPUT_H_
