// What is said of a mask in the original package's two forms: a row of metadata.csv, and a record of COCO run lengths.
// Scores and coordinates are printed from integers: the same text on every machine.
#ifndef INTSAM_APPS_EVERYTHING_RECORDS_H_
#define INTSAM_APPS_EVERYTHING_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "apps/everything/settings.h"
#include "intsam/intsam.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// x, y, width, height in pixels. The original counts the width of a mask's box from its first to its last column, so
// that of a mask of one pixel is 0.
struct PixelRect {
  int32_t x, y, width, height;
};

struct FoundRecord {
  int64_t area;  // pixels
  PixelRect box, crop;
  int32_t predicted_iou;     // Q15
  int32_t stability;         // Q16
  int32_t point_x, point_y;  // 1/64 pixel
};

FoundRecord RecordOf(const intsam_found_mask& found);

// Scores with six decimals, which tell all Q16 values apart.
std::string PredictedIouText(const FoundRecord& record);
std::string StabilityText(const FoundRecord& record);

// "id,area,bbox_x0,...", and the row of a mask; neither has a newline.
std::string MetadataHeader();
std::string MetadataRow(size_t id, const FoundRecord& record);

// {"segmentation": {"size": [h, w], "counts": ...}, "area": ..., ...}, with the original's order of keys, spaces and
// decimal points. kResource without memory.
Result<std::string> RleRecord(const FoundRecord& record, const intsam_mask* mask, MaskForm form);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_EVERYTHING_RECORDS_H_
