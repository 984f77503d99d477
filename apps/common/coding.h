// How an opened model is quantized, for reports: its records, which are facts, and its provenance, which is the text of
// a stranger.
#ifndef INTSAM_APPS_COMMON_CODING_H_
#define INTSAM_APPS_COMMON_CODING_H_

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/exec/session.h"

namespace intsam::internal {

// The records that say how something is coded, by path and in the order of the file. Their tensors are views into the
// model.
struct CodingRecords {
  std::vector<std::pair<std::string, Linear>> layers;  // with weights of at most 8 bits
  std::vector<std::pair<std::string, Softmax>> attentions;
};

CodingRecords CodingOf(const Model& model);

// "exact", "uniform" or "agq".
const char* VariantName(uint32_t variant);

// What conversion wrote about itself; its text when that is not JSON, or nested deeper or with more keys than any
// conversion writes.
nlohmann::ordered_json ProvenanceReport(const Model& model);

// The bit profile that the provenance names, "imported" for one that came with its own widths; "unknown" for anything
// else.
std::string ProfileName(const Model& model);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_CODING_H_
