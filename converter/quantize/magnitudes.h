// Numbers that are too large to become integers, refused by name before they are computed with.
#ifndef INTSAM_CONVERTER_QUANTIZE_MAGNITUDES_H_
#define INTSAM_CONVERTER_QUANTIZE_MAGNITUDES_H_

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/plan.h"
#include "converter/quantize/statistics.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// Trained models stay far below, and from here on products of a few such numbers leave what float and the integers'
// scales can express.
constexpr double kLargestValue = 1 << 20;

// Each is kUnsupported with the tensor or the site and its value, where a number is beyond +-kLargestValue, infinite or
// not a number.
Status CheckWeights(const FloatModel& model);
// Scales that an imported plan brings.
Status CheckScales(const QuantizationPlan& plan);
// What calibration saw.
Status CheckObserved(const Statistics& statistics);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_MAGNITUDES_H_
