// The conversion as one call: calibrate, quantize, describe, write.
#ifndef INTSAM_CONVERTER_CONVERT_H_
#define INTSAM_CONVERTER_CONVERT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/calibrate.h"
#include "converter/quantize/quantize.h"

namespace intsam {

struct ConvertOptions {
  CalibrationOptions calibration;
  QuantizeOptions quantize;
  int threads = 0;                                    // 0: all cores
  std::function<void(int done, int total)> progress;  // calibration photos
};

struct ConvertReport {
  uint64_t file_bytes = 0;
  int64_t calibrate_ns = 0;
  int64_t quantize_ns = 0;
  int64_t write_ns = 0;
  std::string provenance;  // as written into the file
};

// Writes `path` atomically. `images`: at least one.
Result<ConvertReport> ConvertModel(const FloatModel& model, const std::vector<CalibrationImage>& images,
                                   const ConvertOptions& options, const std::string& path);

}  // namespace intsam

#endif  // INTSAM_CONVERTER_CONVERT_H_
