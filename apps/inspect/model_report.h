// What intsam-inspect says about the contents of one model. Every field and tensor comes from the visitor of
// runtime/format/model.h that also reads and writes the file, so that this list cannot drift from the format.
#ifndef INTSAM_APPS_INSPECT_MODEL_REPORT_H_
#define INTSAM_APPS_INSPECT_MODEL_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "runtime/exec/session.h"

namespace intsam::internal {

using Json = nlohmann::ordered_json;

// path is site, or lies below it; an empty site is above everything.
bool IsUnder(const std::string& path, const std::string& site);

// `site`: only what lies under this path; empty for everything. An array without entries means that nothing does.
Json FieldsReport(const Model& model, const std::string& site);
Json TensorsReport(const Model& model, const std::string& site);
Json ProofReport(const Model& model, const std::string& site);

Json HeaderReport(const Model& model);
Json ConfigReport(const Model& model);
Json PartsReport(const Model& model);        // sizes of image encoder, prompt encoder and mask decoder
Json UnitsReport(const Model& model);        // what one step of the streams and of the logits is worth
Json ProvenanceSummary(const Model& model);  // without the lists of sites, which quantization_report.h shows
Json MemoryReport(const Model& model, int threads);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_INSPECT_MODEL_REPORT_H_
