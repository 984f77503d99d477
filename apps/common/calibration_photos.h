// The photos of a folder as the converter wants them.
#ifndef INTSAM_APPS_COMMON_CALIBRATION_PHOTOS_H_
#define INTSAM_APPS_COMMON_CALIBRATION_PHOTOS_H_

#include <string>
#include <vector>

#include "converter/quantize/calibrate.h"

namespace intsam::internal {

// At most `limit` photos in order of their names, their longest side resized to image_size. Errors name `option` or the
// photo (see ListPhotos and ReadImage). `progress` counts photos.
Result<std::vector<CalibrationImage>> ReadCalibrationPhotos(const char* option, const std::string& folder,
                                                            uint32_t image_size, size_t limit,
                                                            const StepProgress& progress);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_CALIBRATION_PHOTOS_H_
