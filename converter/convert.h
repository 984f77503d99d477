// The conversion as one call: calibrate, reparametrise, calibrate again, decide, quantize, describe, write.
#ifndef INTSAM_CONVERTER_CONVERT_H_
#define INTSAM_CONVERTER_CONVERT_H_

#include <cstdint>
#include <functional>
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
  int threads = 0;  // 0: all cores
  // Called with the name of a stage ("observing", "calibrating", "rounding") and how far it is.
  std::function<void(const char* stage, int done, int total)> progress;
};

struct ConvertReport {
  uint64_t file_bytes = 0;
  int64_t calibrate_ns = 0;
  int64_t quantize_ns = 0;
  int64_t write_ns = 0;
  std::string provenance;  // as written into the file
  std::vector<std::string> notes;
};

// An integer model in memory, and its provenance (JSON).
struct ConvertedModel {
  std::unique_ptr<QuantizedModel> quantized;
  QuantizeReport report;
  std::string provenance;
  int64_t calibrate_ns = 0, quantize_ns = 0;
};

// Reparametrises `model` in place. `images`: at least one. `plan`: what is decided already, for imported models (which
// are taken as they are: nothing is reparametrised); empty otherwise.
Result<ConvertedModel> Convert(FloatModel& model, const std::vector<CalibrationImage>& images,
                               const ConvertOptions& options, QuantizationPlan plan);

// Convert, then writes `path` atomically.
Result<ConvertReport> ConvertModel(FloatModel& model, const std::vector<CalibrationImage>& images,
                                   const ConvertOptions& options, QuantizationPlan plan, const std::string& path);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CONVERT_H_
