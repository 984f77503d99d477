// The float reference: SAM in F32, layer by layer and step by step. It is what calibration observes, what
// accuracy is compared with, and (matrix products on oneDNN) the FP32 opponent of intsam-bench.
// All feature maps are channel-last: [pixel][channel].
#ifndef INTSAM_CONVERTER_FP32_FLOAT_SAM_H_
#define INTSAM_CONVERTER_FP32_FLOAT_SAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "runtime/base/thread_pool.h"
#include "runtime/sam/config.h"
#include "runtime/sam/steps.h"

namespace intsam::internal {

// Called with every activation that the integer runtime quantizes; may change the values in place (fake quantization).
// `channels` is the length of the last axis. See float_sam.cc's head for the list of site names.
using SiteHook = std::function<void(std::string_view site, std::span<float> values, size_t channels)>;
// Called with rows of probabilities of an attention ("image_encoder.blocks.3.attn") before they mix the values, from
// several threads at a time; may change them in place.
using SoftmaxHook = std::function<void(std::string_view attention, std::span<float> probabilities)>;
// Called after each step with its wall time, for per-operation tables.
using StepTimer = std::function<void(const Step& step, int64_t nanoseconds)>;

struct FloatPrompt {
  // Points in pixels of the resized photo (before the +0.5), labels 1 positive, 0 negative.
  std::vector<float> points;  // x, y pairs
  std::vector<int> labels;
  bool has_box = false;
  float box[4] = {0, 0, 0, 0};        // x0, y0, x1, y1
  const float* mask_input = nullptr;  // [4g][4g] logits, or null
};

struct FloatMasks {
  std::vector<float> low_res;  // [num_masks][4g][4g] logits; index 0 is the single-mask output
  std::vector<float> iou;      // [num_masks]
};

// The encoder's weights in the matrix library's favourite layout, a second copy of nearly the whole model, or only as
// the model holds them, somewhat slower.
enum class WeightLayout { kPacked, kAsStored };

// A linear layer of the encoder, prepared for a fixed number of rows: y = x * weight^T.
class LinearProduct {
 public:
  virtual ~LinearProduct() = default;
  virtual void Run(const float* x, float* y) = 0;
};
// Prepares one; weight [out][in] outlives it.
using LinearLibrary =
    std::function<std::unique_ptr<LinearProduct>(const float* weight, size_t in, size_t out, size_t rows)>;

class FloatSam {
 public:
  // `model` must outlive this object. threads <= 0: all cores; results do not depend on their number. `library`: for
  // the encoder's layers instead of oneDNN, with packed weights alone.
  FloatSam(const FloatModel& model, int threads, WeightLayout layout = WeightLayout::kPacked,
           LinearLibrary library = {});
  ~FloatSam();
  FloatSam(const FloatSam&) = delete;
  FloatSam& operator=(const FloatSam&) = delete;

  void set_hook(SiteHook hook);
  void set_softmax_hook(SoftmaxHook hook);
  void set_timer(StepTimer timer);

  // The threads, idle while a hook runs.
  Parallel& pool();

  // rgb: [height][width][3] already resized to the model's longest side. Result: [grid * grid][prompt_embed_dim].
  std::vector<float> EncodeImage(const uint8_t* rgb, uint32_t height, uint32_t width);
  FloatMasks Decode(const std::vector<float>& embedding, const FloatPrompt& prompt);

  // Name and version of the matrix library, for reports: "oneDNN 2.6.3".
  static std::string MatrixLibrary();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_FP32_FLOAT_SAM_H_
