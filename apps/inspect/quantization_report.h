// What intsam-inspect says about how a model is quantized. Bits, variants and tau are those of the model's records;
// what conversion measured is in the provenance, which is a stranger's text: only values of the expected type are taken
// from it, and a model without any is shown all the same.
#ifndef INTSAM_APPS_INSPECT_QUANTIZATION_REPORT_H_
#define INTSAM_APPS_INSPECT_QUANTIZATION_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "runtime/exec/session.h"

namespace intsam::internal {

// One row per layer with weights of at most 8 bits, and one per attention. `site` as in model_report.h.
nlohmann::ordered_json LayersReport(const Model& model, const std::string& site);
nlohmann::ordered_json AttentionsReport(const Model& model, const std::string& site);
// One per step of the image encoder whose widths were chosen by its time; all of it is the provenance's word.
nlohmann::ordered_json StepsReport(const Model& model, const std::string& site);

// The distributions of an attention's keys at conversion, "before" and "after" all changes to the weights, each
// {site, peaks (where known), lo, hi, counts}; at least one of them. kUsage naming the site when the provenance has
// none of it that is well formed: 1 to 256 counts of 32 bits, finite lo < hi.
Result<nlohmann::ordered_json> KeyHistograms(const Model& model, const std::string& site);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_INSPECT_QUANTIZATION_REPORT_H_
