// What every executor of an integer model offers. Two exist: reference/ (normative, short, unblocked) and fused/ (what
// users get). They give the same integers for every model that opens, image and prompt.
#ifndef INTSAM_RUNTIME_EXEC_EXECUTOR_H_
#define INTSAM_RUNTIME_EXEC_EXECUTOR_H_

#include <cstdint>
#include <functional>
#include <span>

#include "runtime/base/status.h"
#include "runtime/image/resize.h"
#include "runtime/sam/steps.h"

namespace intsam::internal {

// Coordinates are in 1/64 pixel of the original image, x to the right and y down, below 2^21 in magnitude.
struct PointPrompt {
  int32_t x = 0, y = 0;
  int32_t label = 1;  // 1 foreground, 0 background
  bool operator==(const PointPrompt&) const = default;
};

struct BoxPrompt {
  int32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const BoxPrompt&) const = default;
};

// One object.
struct Prompt {
  std::span<const PointPrompt> points;
  const BoxPrompt* box = nullptr;
  const int16_t* mask = nullptr;  // low-resolution logits of an earlier result [4g][4g], logit units
};

// The sizes that relate a prompt to the encoded image.
struct Frame {
  ImageSize original;
  ImageSize resized;
};

// Called before each step with its number and the number of steps; false stops the run with kCancelled.
using StepHook = std::function<bool(const Step& step, int index, int count)>;

class Executor {
 public:
  virtual ~Executor() = default;

  // rgb: [size.height][size.width][3], longest side = image_size. embedding: [grid * grid][prompt_embed_dim], key
  // units.
  virtual Status EncodeImage(const uint8_t* rgb, ImageSize size, int16_t* embedding, const StepHook& hook) = 0;

  // Makes `embedding`, of the frame's image, what Decode answers prompts on. It must neither move nor change before the
  // next call: an executor may keep what follows from it.
  virtual void SetEmbedding(const int16_t* embedding, const Frame& frame) = 0;

  // low_res: [num_masks][4g][4g] in logit units; iou: [num_masks] in the unit that MaskDecoder::iou_q15 converts.
  virtual Status Decode(const Prompt& prompt, int16_t* low_res, int16_t* iou, const StepHook& hook) = 0;

  // The same for each prompt, results one after the other. The hook's index is the number of prompts that are answered.
  virtual Status DecodeBatch(std::span<const Prompt> prompts, int16_t* low_res, int16_t* iou, const StepHook& hook) = 0;

  // Bytes that are held.
  virtual size_t memory() const = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_EXECUTOR_H_
