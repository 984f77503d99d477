#include "runtime/everything/options.h"

#include "runtime/format/limits.h"

namespace intsam::internal {

Status CheckEverythingOptions(const EverythingOptions& o) {
  constexpr int32_t kOne = 1 << 30, kBatch = limits::kPromptsPerBatch, kSide = limits::kPointsPerSide,
                    kLayers = limits::kCropLayers;
  const struct {
    const char* name;
    int32_t value, lowest, highest;
  } ranges[] = {
      {"points_per_side", o.points_per_side, 1, kSide},
      {"points_per_batch", o.points_per_batch, 1, kBatch},
      {"pred_iou_thresh", o.pred_iou_thresh, 0, INT32_MAX},
      {"stability_score_thresh", o.stability_score_thresh, 0, INT32_MAX},
      {"stability_score_offset", o.stability_score_offset, 0, INT32_MAX},
      {"box_nms_thresh", o.box_nms_thresh, 0, INT32_MAX},
      {"crop_n_layers", o.crop_n_layers, 0, kLayers},
      {"crop_nms_thresh", o.crop_nms_thresh, 0, INT32_MAX},
      {"crop_overlap_ratio", o.crop_overlap_ratio, 0, kOne},
      {"crop_n_points_downscale_factor", o.crop_n_points_downscale_factor, 1, kSide},
      {"min_mask_region_area", o.min_mask_region_area, 0, INT32_MAX},
  };
  for (const auto& range : ranges) {
    if (range.value < range.lowest || range.value > range.highest)
      return Error(Code::kUsage, "options: %s %d is not in %d..%d", range.name, range.value, range.lowest,
                   range.highest);
  }
  if (o.PointsPerSide(static_cast<uint32_t>(o.crop_n_layers)) == 0) {
    return Error(Code::kUsage, "options: crop_n_points_downscale_factor %d leaves no point in layer %d",
                 o.crop_n_points_downscale_factor, o.crop_n_layers);
  }
  return Status();
}

}  // namespace intsam::internal
