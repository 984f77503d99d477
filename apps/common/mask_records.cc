#include "apps/common/mask_records.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "apps/common/prompt_text.h"
#include "apps/common/score.h"

namespace intsam::internal {
namespace {

constexpr int kDecimals = 6;

// With a decimal point always, as Python prints a float.
std::string PointText(int32_t coordinate) {
  const std::string text = CoordinateText(coordinate);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

intsam_mask_info InfoOf(const intsam_mask* mask) {
  intsam_mask_info info = {};
  info.size = sizeof info;
  intsam_mask_get_info(mask, &info);
  return info;
}

Result<std::string> Counts(const intsam_mask* mask, RunLengthForm form) {
  const Status no_memory(Code::kResource, "out of memory for the run lengths of a mask");
  size_t size = 0;
  if (form == RunLengthForm::kCompressed) {
    if (intsam_mask_coco_string(mask, nullptr, 0, &size) != INTSAM_OK) return no_memory;
    std::string text(size + 1, '\0');
    if (intsam_mask_coco_string(mask, text.data(), text.size(), &size) != INTSAM_OK) return no_memory;
    text.resize(size);
    return nlohmann::json(text).dump();
  }
  if (intsam_mask_run_lengths(mask, nullptr, 0, &size) != INTSAM_OK) return no_memory;
  std::vector<uint32_t> lengths(size);
  if (intsam_mask_run_lengths(mask, lengths.data(), size, &size) != INTSAM_OK) return no_memory;
  std::string text;
  for (const uint32_t length : lengths) text += (text.empty() ? "[" : ", ") + std::to_string(length);
  return text + "]";
}

}  // namespace

std::string RectText(const PixelRect& rect, const char* comma) {
  std::string text = std::to_string(rect.x);
  for (const int32_t value : {rect.y, rect.width, rect.height}) text += comma + std::to_string(value);
  return text;
}

MaskShape ShapeOf(const intsam_mask* mask) {
  const intsam_mask_info info = InfoOf(mask);
  return {info.area, {info.x0, info.y0, info.x1 - info.x0, info.y1 - info.y0}};
}

Result<std::string> SegmentationText(const intsam_mask* mask, RunLengthForm form) {
  const intsam_mask_info info = InfoOf(mask);
  INTSAM_ASSIGN(const std::string counts, Counts(mask, form));
  return R"({"size": [)" + std::to_string(info.height) + ", " + std::to_string(info.width) + R"(], "counts": )" +
         counts + "}";
}

FoundRecord RecordOf(const intsam_found_mask& found) {
  const MaskShape shape = ShapeOf(found.mask);
  return {shape.area,
          shape.box,
          {found.crop_x0, found.crop_y0, found.crop_x1 - found.crop_x0, found.crop_y1 - found.crop_y0},
          found.predicted_iou,
          found.stability,
          found.point_x,
          found.point_y};
}

std::string PredictedIouText(const FoundRecord& record) { return FixedText(record.predicted_iou, 15, kDecimals); }

std::string StabilityText(const FoundRecord& record) { return FixedText(record.stability, 16, kDecimals); }

std::string MetadataColumns() {
  return "area,bbox_x0,bbox_y0,bbox_w,bbox_h,point_input_x,point_input_y,predicted_iou,stability_score,"
         "crop_box_x0,crop_box_y0,crop_box_w,crop_box_h";
}

std::string MetadataValues(const FoundRecord& r) {
  return std::to_string(r.area) + "," + RectText(r.box, ",") + "," + PointText(r.point_x) + "," + PointText(r.point_y) +
         "," + PredictedIouText(r) + "," + StabilityText(r) + "," + RectText(r.crop, ",");
}

std::string RecordMembers(const FoundRecord& r) {
  return R"("area": )" + std::to_string(r.area) + R"(, "bbox": [)" + RectText(r.box, ", ") + R"(], "predicted_iou": )" +
         PredictedIouText(r) + R"(, "point_coords": [[)" + PointText(r.point_x) + ", " + PointText(r.point_y) +
         R"(]], "stability_score": )" + StabilityText(r) + R"(, "crop_box": [)" + RectText(r.crop, ", ") + "]";
}

}  // namespace intsam::internal
