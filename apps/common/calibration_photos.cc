#include "apps/common/calibration_photos.h"

#include "apps/common/image_file.h"
#include "apps/common/photos.h"

namespace intsam::internal {

Result<std::vector<CalibrationImage>> ReadCalibrationPhotos(const char* option, const std::string& folder,
                                                            uint32_t image_size, size_t limit,
                                                            const StepProgress& progress) {
  INTSAM_ASSIGN(const std::vector<std::string> paths, ListPhotos(option, folder, limit));
  std::vector<CalibrationImage> images;
  std::vector<uint8_t> scratch;
  for (const std::string& path : paths) {
    INTSAM_ASSIGN(const Image photo, ReadImage(path));
    CalibrationImage image;
    image.size = ResizedSize(photo.size, image_size);
    ResizeToRgb(photo.rgb.data(), photo.size, size_t{photo.size.width} * 3, PixelFormat::kRgb, image.size, image.rgb,
                scratch);
    images.push_back(std::move(image));
    if (progress) progress(images.size(), paths.size(), path);
  }
  return images;
}

}  // namespace intsam::internal
