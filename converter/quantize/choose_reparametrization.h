// Which function-preserving changes each site gets, by the error that they leave on calibration samples.
#ifndef INTSAM_CONVERTER_QUANTIZE_CHOOSE_REPARAMETRIZATION_H_
#define INTSAM_CONVERTER_QUANTIZE_CHOOSE_REPARAMETRIZATION_H_

#include "converter/quantize/calibrate.h"
#include "converter/quantize/method.h"
#include "converter/quantize/profile.h"
#include "converter/quantize/report.h"

namespace intsam::internal {

// Changes `model` in place; `seen` is of the model as it was, without Gram matrices. Calibrate anew afterwards.
// Stages "changing attentions" and "changing layers".
void Reparametrize(FloatModel& model, const Observations& seen, const BitProfile& bits, const QuantizeMethod& method,
                   int threads, const StageProgress& progress, QuantizeReport& report);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_CHOOSE_REPARAMETRIZATION_H_
