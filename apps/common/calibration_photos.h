// Photos as the converter wants them.
#ifndef INTSAM_APPS_COMMON_CALIBRATION_PHOTOS_H_
#define INTSAM_APPS_COMMON_CALIBRATION_PHOTOS_H_

#include <string>
#include <vector>

#include "apps/common/photos.h"
#include "converter/quantize/calibrate.h"

namespace intsam::internal {

struct CalibrationPhotos {
  std::vector<CalibrationImage> images;
  std::vector<std::string> notes;  // of PhotoFolder, and about photos that are black
};

// The photos of a folder in its order, their longest side resized to image_size. Errors name `option`, where the folder
// came from, or the photo (see PhotoFolder). `progress` counts photos.
Result<CalibrationPhotos> ReadCalibrationPhotos(const char* option, PhotoFolder folder, uint32_t image_size,
                                                const StepProgress& progress);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_CALIBRATION_PHOTOS_H_
