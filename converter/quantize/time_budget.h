// Widths under a time: each step of the image encoder gets the bits that its share of the time is worth.
#ifndef INTSAM_CONVERTER_QUANTIZE_TIME_BUDGET_H_
#define INTSAM_CONVERTER_QUANTIZE_TIME_BUDGET_H_

#include <span>
#include <string>
#include <vector>

#include "converter/quantize/calibrate.h"
#include "converter/quantize/method.h"
#include "converter/quantize/profile.h"
#include "converter/quantize/report.h"
#include "runtime/base/status.h"
#include "runtime/format/model.h"

namespace intsam::internal {

struct StepChoice {
  BitWidths widths;
  double seconds = 0;
  double loss = 0;  // of masks (sensitivity.h)
};

// A step of the image encoder ("image_encoder.blocks.3.attn"), and the widths that it may have, the most bits first.
// One choice alone where it has no layers whose bits can be chosen.
struct StepChoices {
  std::string step;
  std::vector<StepChoice> choices;
};

// For each step which of its choices, so that all together take at most `seconds`, with the least sum of losses that
// taking one step after the other to fewer bits finds, where a second costs least. The fastest where nothing fits.
std::vector<size_t> ChooseWidths(std::span<const StepChoices> steps, double seconds);

double SecondsOf(std::span<const StepChoices> steps, std::span<const size_t> chosen);

struct StepTime {
  std::string step;
  double seconds = 0;
};

// What each step of the image encoder takes here on one thread, for a photo that fills the model's input: the least of
// some runs. `tier`: see SelectKernels.
Result<std::vector<StepTime>> MeasureSteps(IntegerModel& model, const std::string& tier);

// Measures what every step takes with each of its widths, none more than `bits`, on models that are made for it; and
// the loss of masks with its weights alone, and its activations alone, in 4 bits, over the first photos of `images`:
// two passes through the encoder a step and photo.
Result<std::vector<StepChoices>> MeasureChoices(FloatModel& model, Observations& seen,
                                                std::span<const CalibrationImage> images, const BitProfile& bits,
                                                const QuantizeMethod& method, const std::string& tier, int threads,
                                                const StageProgress& progress);

// `bits` with what was chosen.
BitProfile WithChosen(const BitProfile& bits, std::span<const StepChoices> steps, std::span<const size_t> chosen);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_TIME_BUDGET_H_
