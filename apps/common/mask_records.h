// What is said of a mask in the original package's two forms: a row of metadata.csv, and a record of COCO run lengths.
// Scores and coordinates are printed from integers: the same text on every machine.
#ifndef INTSAM_APPS_COMMON_MASK_RECORDS_H_
#define INTSAM_APPS_COMMON_MASK_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "intsam/intsam.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// x, y, width, height in pixels. The original counts the width of a mask's box from its first to its last column, so
// that of a mask of one pixel is 0.
struct PixelRect {
  int32_t x, y, width, height;
};

// "x, y, width, height" with `comma` between them.
std::string RectText(const PixelRect& rect, const char* comma);

// Box and area of a mask.
struct MaskShape {
  int64_t area;  // pixels
  PixelRect box;
};
MaskShape ShapeOf(const intsam_mask* mask);

// COCO's run lengths, as the string of its tools or as numbers.
enum class RunLengthForm { kCompressed, kPlain };

// {"size": [h, w], "counts": ...}. kResource without memory.
Result<std::string> SegmentationText(const intsam_mask* mask, RunLengthForm form);

// A mask that everything mode found.
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

// The columns of metadata.csv behind "id,", and their values for a mask; neither has a newline.
std::string MetadataColumns();
std::string MetadataValues(const FoundRecord& record);

// "area": ..., "bbox": ..., ...: the members of a record behind its segmentation, with the original's order of keys,
// spaces and decimal points.
std::string RecordMembers(const FoundRecord& record);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_MASK_RECORDS_H_
