// Runs the float reference over calibration photos with automatic prompts and records every activation site.
#ifndef INTSAM_CONVERTER_QUANTIZE_CALIBRATE_H_
#define INTSAM_CONVERTER_QUANTIZE_CALIBRATE_H_

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "converter/fp32/float_sam.h"
#include "converter/progress.h"
#include "converter/quantize/attention_sample.h"
#include "converter/quantize/gram.h"
#include "converter/quantize/statistics.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

// A photo already resized to the model's longest side, RGB.
struct CalibrationImage {
  ImageSize size;
  std::vector<uint8_t> rgb;
};

struct CalibrationOptions {
  int points_per_side = 3;       // a grid of point prompts; each also gives a box, the tight box of its best mask
  size_t attention_samples = 4;  // per attention
};

struct Observations {
  Statistics statistics;
  AttentionSamples attentions;
  Grams grams;              // by layer name
  bool keep_grams = false;  // rounding leaves them; else each is gone when its layer is rounded
};

// Asks `answer` every prompt of a photo, which is already resized: a grid of points; for each the box around the mask
// it gave; every third point again with that mask as mask prompt and a background point. A prompt's pointers are valid
// until `answer` returns.
void AskPrompts(const SamConfig& config, ImageSize size, int points_per_side,
                const std::function<FloatMasks(const FloatPrompt&)>& answer);

// Runs the model over the photos and all their prompts. Deterministic. gram_layers: layers whose inputs' second moments
// are wanted. `progress` counts the encoder's steps and the prompts of all photos.
Observations Calibrate(FloatSam& sam, const SamConfig& config, std::span<const CalibrationImage> images,
                       const CalibrationOptions& options, const std::vector<LayerSite>& gram_layers,
                       const StepProgress& progress);

// Seeded smooth noise, for synthetic models where there is nothing to recognize.
CalibrationImage SyntheticImage(const SamConfig& config, uint64_t seed);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_CALIBRATE_H_
