// The converter's own decisions: from what calibration saw of the (reparametrized) float model to a plan.
#ifndef INTSAM_CONVERTER_QUANTIZE_CALIBRATED_PLAN_H_
#define INTSAM_CONVERTER_QUANTIZE_CALIBRATED_PLAN_H_

#include "converter/quantize/calibrate.h"
#include "converter/quantize/method.h"
#include "converter/quantize/plan.h"
#include "converter/quantize/profile.h"
#include "converter/quantize/report.h"

namespace intsam::internal {

// Decides everything that `plan` lacks and leaves what it has (imported models bring some of it); fills the report.
// The Gram matrices are dropped one after the other as their layers are rounded. kInternal when a site was never seen.
// Stages "coding attentions" and "rounding layers".
Status CompletePlan(const FloatModel& model, Observations& seen, const BitProfile& bits, const QuantizeMethod& method,
                    int threads, const StageProgress& progress, QuantizationPlan& plan, QuantizeReport& report);

// Whether an attention takes its site's form (runtime/format/decoder_attention.h) instead of kOnImage.
bool TakesForm(const AttentionSite& site, const QuantizeMethod& method);

// Layers whose weights are rounded: all but those that move so, which have 8 bits in every profile.
std::vector<LayerSite> RoundedLayers(const SamConfig& config, const QuantizeMethod& method);

// Layers whose rounding wants the Gram matrix of their inputs.
std::vector<LayerSite> GramLayers(const SamConfig& config, const QuantizeMethod& method);

// Counts the peaks of every attention's keys and keeps their histograms; `after`: as those after all changes.
void ReportKeys(const SamConfig& config, const Observations& seen, bool after, QuantizeReport& report);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_CALIBRATED_PLAN_H_
