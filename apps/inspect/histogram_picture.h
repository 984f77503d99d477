// A distribution as a picture of characters.
#ifndef INTSAM_APPS_INSPECT_HISTOGRAM_PICTURE_H_
#define INTSAM_APPS_INSPECT_HISTOGRAM_PICTURE_H_

#include <nlohmann/json.hpp>
#include <string>

namespace intsam::internal {

// histogram: as KeyHistograms gives it. Upright bars, one column per bin; every bin that holds anything has a mark.
std::string HistogramPicture(const nlohmann::ordered_json& histogram);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_INSPECT_HISTOGRAM_PICTURE_H_
