#include "apps/common/calibration_photos.h"

#include <algorithm>

namespace intsam::internal {

Result<CalibrationPhotos> ReadCalibrationPhotos(const char* option, PhotoFolder folder, uint32_t image_size,
                                                const StepProgress& progress) {
  CalibrationPhotos photos;
  std::vector<uint8_t> scratch;
  size_t black = 0;
  while (true) {
    INTSAM_ASSIGN(const std::optional<PhotoFolder::Photo> photo, folder.Next());
    if (!photo) break;
    const Image& from = photo->image;
    CalibrationImage image;
    image.size = ResizedSize(from.size, image_size);
    ResizeToRgb(from.rgb.data(), from.size, size_t{from.size.width} * 3, PixelFormat::kRgb, image.size, image.rgb,
                scratch);
    black += std::all_of(image.rgb.begin(), image.rgb.end(), [](uint8_t v) { return v == 0; });
    photos.images.push_back(std::move(image));
    if (progress) progress(photos.images.size(), folder.most(), photo->path);
  }
  photos.notes = folder.notes();
  if (black > 0) {
    photos.notes.push_back(std::string(option) + ": " + std::to_string(black) + " of " +
                           std::to_string(photos.images.size()) +
                           " photos are black all over: they say nothing about the ranges of real ones");
  }
  return photos;
}

}  // namespace intsam::internal
