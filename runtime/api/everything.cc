// The C entry point of everything mode.
#include "runtime/everything/everything.h"

#include <optional>

#include "runtime/api/calls.h"

namespace {

using namespace intsam::internal;  // NOLINT: the C API is made of little else

EverythingOptions Inner(const intsam_everything_options& o) {
  return {o.points_per_side,        o.points_per_batch,
          o.pred_iou_thresh,        o.stability_score_thresh,
          o.stability_score_offset, o.box_nms_thresh,
          o.crop_n_layers,          o.crop_nms_thresh,
          o.crop_overlap_ratio,     o.crop_n_points_downscale_factor,
          o.min_mask_region_area};
}

Status Deliver(const std::vector<FoundMask>& masks, ImageSize photo, intsam_found found, void* user) {
  for (size_t i = 0; i < masks.size(); ++i) {
    const FoundMask& mask = masks[i];
    const auto number = [](uint32_t value) { return static_cast<int32_t>(value); };
    const intsam_mask whole = {mask.Whole(photo)};
    const intsam_found_mask record = {sizeof(intsam_found_mask),
                                      &whole,
                                      mask.iou_q15,
                                      mask.stability_q16,
                                      mask.point.x,
                                      mask.point.y,
                                      number(mask.crop.x0),
                                      number(mask.crop.y0),
                                      number(mask.crop.x1),
                                      number(mask.crop.y1)};
    if (found(user, &record, static_cast<int32_t>(i), static_cast<int32_t>(masks.size())) != 0)
      return Error(Code::kCancelled, "cancelled");
  }
  return Status();
}

Status Everything(Session& session, const intsam_image* image, const intsam_everything_options* given,
                  intsam_found found, void* user) {
  if (image != nullptr) session.DropImage();
  session.DropResults();
  if (found == nullptr) return Error(Code::kUsage, "found: is NULL");
  intsam_everything_options options;
  intsam_everything_options_init(&options);
  if (given != nullptr) INTSAM_TRY(TakeStruct("options", *given, options));
  std::optional<Photo> photo;
  if (image != nullptr) {
    INTSAM_TRY(WithImage(image, [&](auto... picture) {
      photo = Photo{picture...};
      return Status();
    }));
  }
  std::vector<FoundMask> masks;
  INTSAM_TRY(FindEverything(session, photo ? &*photo : nullptr, Inner(options), masks));
  return Deliver(masks, session.frame().original, found, user);
}

}  // namespace

extern "C" {

intsam_status intsam_session_everything(intsam_session* session, const intsam_image* image,
                                        const intsam_everything_options* options, intsam_found found, void* user) {
  return OnSession(session, [&](Session& s) { return Everything(s, image, options, found, user); });
}

}  // extern "C"
