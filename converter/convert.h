// The conversion as one call: calibrate, reparametrize, calibrate again, decide, quantize, describe.
#ifndef INTSAM_CONVERTER_CONVERT_H_
#define INTSAM_CONVERTER_CONVERT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/calibrate.h"
#include "converter/quantize/method.h"
#include "converter/quantize/profile.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/report.h"

namespace intsam::internal {

struct ConvertOptions {
  CalibrationOptions calibration;
  BitProfile bits;
  QuantizeMethod method;
  // Of the file: layers get fewer bits of weights than `bits` says, those that lose least by it first. 0: no limit.
  uint64_t most_bytes = 0;
  // Of the image encoder on one thread with kernels of `tier`, for a photo that fills the model's input: its steps get
  // fewer bits, those that lose least by it first. Not together with most_bytes. 0: no limit.
  double most_seconds = 0;
  std::string tier;         // see SelectKernels; "": the best that this CPU has
  int threads = 0;          // 0: all cores
  std::string source_name;  // of the checkpoint, for the provenance: its file's name without folders; may be empty
  // Also "observing", "calibrating", "packing"; "measuring layers", or "timing steps" and "measuring steps".
  StageProgress progress;
};

// An integer model in memory, and its provenance (JSON).
struct ConvertedModel {
  std::unique_ptr<QuantizedModel> quantized;
  QuantizeReport report;
  std::string provenance;
  int64_t calibrate_ns = 0, quantize_ns = 0;
};

// Everything that is decided, and what calibration saw of the model.
struct PlannedModel {
  QuantizationPlan plan;
  Statistics statistics;
  QuantizeReport report;
  int64_t calibrate_ns = 0;
};

// The first half of Convert, with its arguments: up to the plan, without a limit of bytes.
Result<PlannedModel> PlanConversion(FloatModel& model, const std::vector<CalibrationImage>& images,
                                    const ConvertOptions& options, QuantizationPlan plan);

// Reparametrizes `model` in place. `images`: at least one. `plan`: what is decided already, for imported models (which
// are taken as they are: nothing is reparametrized); empty otherwise. kUnsupported, naming the tensor or the site,
// where numbers are too large to quantize (quantize/magnitudes.h). kUsage where no widths stay within most_bytes or
// most_seconds.
Result<ConvertedModel> Convert(FloatModel& model, const std::vector<CalibrationImage>& images,
                               const ConvertOptions& options, QuantizationPlan plan);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CONVERT_H_
