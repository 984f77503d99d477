// From the results of a batch of prompts to the masks that are good enough: the filters of everything mode, in the
// order of the original package.
#ifndef INTSAM_RUNTIME_EVERYTHING_CANDIDATES_H_
#define INTSAM_RUNTIME_EVERYTHING_CANDIDATES_H_

#include <cstdint>
#include <vector>

#include "runtime/everything/crops.h"
#include "runtime/everything/options.h"
#include "runtime/exec/session.h"
#include "runtime/image/mask_runs.h"

namespace intsam::internal {

// A mask on its way: of the photo, with no row kept above or below its box.
struct FoundMask {
  MaskRuns rows;          // as wide as what it was found in
  uint32_t x = 0, y = 0;  // of their left top pixel in the photo
  PixelBox box;           // in the photo
  int32_t iou_q15 = 0;
  int32_t stability_q16 = 0;
  PointPrompt point;  // in the photo
  Crop crop{};

  MaskRuns Whole(ImageSize photo) const { return rows.Placed(x, y, photo); }
};

// Appends the alternatives (masks 1..) of the session's results that pass: result by result, in the order of the masks.
// The session's image is `crop` of a photo, and result i is that of points[i]; `sampling` is that of the whole crop.
Status AddCandidates(const Session& session, const EverythingOptions& options, ImageSize photo, const Crop& crop,
                     const MaskSampling& sampling, std::span<const PointPrompt> points, std::vector<FoundMask>& found);

// Whether a side of a box lies near one of the crop that is not near one of the photo: there the crop cut the object.
bool NearCropEdge(const PixelBox& box, const Crop& crop, ImageSize photo);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EVERYTHING_CANDIDATES_H_
