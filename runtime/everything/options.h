// What may be asked of everything mode: the arguments of the original package's SamAutomaticMaskGenerator, in integers.
#ifndef INTSAM_RUNTIME_EVERYTHING_OPTIONS_H_
#define INTSAM_RUNTIME_EVERYTHING_OPTIONS_H_

#include <cstdint>

#include "runtime/base/status.h"

namespace intsam::internal {

// Shares are in Q30: 2^30 = 1. See intsam_everything_options in intsam.h.
struct EverythingOptions {
  int32_t points_per_side;
  int32_t points_per_batch;
  int32_t pred_iou_thresh;
  int32_t stability_score_thresh;
  int32_t stability_score_offset;  // logits in Q16
  int32_t box_nms_thresh;
  int32_t crop_n_layers;
  int32_t crop_nms_thresh;
  int32_t crop_overlap_ratio;
  int32_t crop_n_points_downscale_factor;
  int32_t min_mask_region_area;  // pixels

  // int(points_per_side / factor^layer) of the original.
  uint32_t PointsPerSide(uint32_t layer) const {
    uint32_t points = static_cast<uint32_t>(points_per_side);
    for (uint32_t i = 0; i < layer; ++i) points /= static_cast<uint32_t>(crop_n_points_downscale_factor);
    return points;
  }
};

// Every field within its range, and a point left in every layer.
Status CheckEverythingOptions(const EverythingOptions& options);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EVERYTHING_OPTIONS_H_
