// What quantizing parts of a model costs: the float reference with some of them coded and the rest in floating point.
//
// A part is an activation site ("image_encoder.blocks.3.attn.q"), the weights of a layer (its name + ".weight"), or the
// coding of an attention's probabilities (its name + ".softmax").
#ifndef INTSAM_CONVERTER_QUANTIZE_SENSITIVITY_H_
#define INTSAM_CONVERTER_QUANTIZE_SENSITIVITY_H_

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "converter/fp32/float_sam.h"
#include "converter/quantize/calibrate.h"
#include "converter/quantize/plan.h"

namespace intsam::internal {

// Both grow with the square of small errors, so that the losses of independent errors add up.
struct Loss {
  double embedding = 0;  // squared distance of the image embedding over its squared length, mean over photos
  // Of the sigmoids of the low-resolution logits: squared distance over their sum, mean over the masks of all prompts.
  double masks = 0;
};

// Of a loss that was measured with kMeasuredBits, what these bits leave: a quarter with each bit more, as of the square
// of any rounding error.
inline constexpr int kMeasuredBits = 4;
double LossWith(int bits, double measured);

// Every part that a plan codes.
std::vector<std::string> PartsOf(const QuantizationPlan& plan);
// The same part of all blocks and layers: "image_encoder.blocks.*.attn.q".
std::string KindOf(const std::string& part);

class Sensitivity {
 public:
  // Answers all prompts on the photos in floating point. `model` must outlive this object; its weights are exchanged
  // for coded ones while Measure runs.
  Sensitivity(FloatModel& model, std::span<const CalibrationImage> images, int points_per_side, int threads);

  // For ranking parts: the first two photos, four points on each.
  static Sensitivity ForRanking(FloatModel& model, std::span<const CalibrationImage> images, int threads);

  // With the parts of `plan` coded for which `coded` says so.
  Loss Measure(const QuantizationPlan& plan, const std::function<bool(const std::string& part)>& coded);

 private:
  // A prompt that owns what it points to, and the sigmoids of the masks that count: three for a point, else one.
  struct Question {
    FloatPrompt prompt;
    std::vector<float> mask_input;
    std::vector<float> sigmoids;
  };
  struct Photo {
    const CalibrationImage* image;
    std::vector<float> embedding;
    std::vector<Question> questions;
  };
  std::vector<float> Sigmoids(const FloatPrompt& prompt, const FloatMasks& masks) const;
  Loss LossOf(FloatSam& sam, bool encode);

  FloatModel& model_;
  const int threads_;
  std::vector<Photo> photos_;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_SENSITIVITY_H_
