// Folders of photos: what is a photo, in which order, and which label map belongs to it.
#ifndef INTSAM_APPS_COMMON_PHOTOS_H_
#define INTSAM_APPS_COMMON_PHOTOS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

// PNG and JPEG files of a folder, sorted by name, at most `limit`; NAME.labels.K.png is no photo. kUsage when there are
// none; `option` names where the folder came from.
Result<std::vector<std::string>> ListPhotos(const std::string& option, const std::string& folder, size_t limit);

// FOLDER/NAME.labels.0.png for photo .../NAME.jpg: the first annotator's region map.
std::string LabelPath(const std::string& folder, const std::string& photo);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTOS_H_
