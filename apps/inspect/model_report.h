// What intsam-inspect says about the contents of one model. Every field and tensor comes from the visitor of
// runtime/format/model.h that also reads and writes the file, so that this list cannot drift from the format.
#ifndef INTSAM_APPS_INSPECT_MODEL_REPORT_H_
#define INTSAM_APPS_INSPECT_MODEL_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "runtime/exec/session.h"

namespace intsam::internal {

using Json = nlohmann::ordered_json;

// `site` is one or more whole components of `path`, anywhere in it: "neck" and "image_encoder" hold
// "image_encoder.neck.0". An empty one holds everything.
bool IsUnder(const std::string& path, const std::string& site);

// Up to five paths that hold the text somewhere, for one under which nothing lies; empty when there are none.
std::string SimilarSites(const Model& model, const std::string& site);

// `site`: only what lies under it; empty for everything. An array without entries means that nothing does.
Json FieldsReport(const Model& model, const std::string& site);
Json TensorsReport(const Model& model, const std::string& site);
Json ProofReport(const Model& model, const std::string& site);

// What one asks first, in one sentence: which SAM, its size, bits, file, memory, origin, and the tier that this CPU
// would take for it. `threads`: as in SessionOptions, whose errors this has.
Result<std::string> ModelSentence(const Model& model, int threads);
Json HeaderReport(const Model& model);
Json HashesReport(const Model& model);  // where the sections lie and what they hash to
Json ConfigReport(const Model& model);
Json PartsReport(const Model& model);        // sizes of image encoder, prompt encoder and mask decoder
Json UnitsReport(const Model& model);        // what one step of the streams and of the logits is worth
Json ProvenanceSummary(const Model& model);  // without the lists of sites, which quantization_report.h shows
Json MemoryReport(const Model& model, int threads);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_INSPECT_MODEL_REPORT_H_
