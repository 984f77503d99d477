// The provenance of a converted model: one JSON object in the file, for people and reports. The runtime never reads it.
#ifndef INTSAM_CONVERTER_PROVENANCE_H_
#define INTSAM_CONVERTER_PROVENANCE_H_

#include <string>
#include <vector>

#include "converter/convert.h"

namespace intsam::internal {

std::string Provenance(const FloatModel& model, const std::vector<CalibrationImage>& images,
                       const ConvertOptions& options, bool imported, const QuantizeReport& report);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_PROVENANCE_H_
