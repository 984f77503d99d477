// A picture for people: the photo as it is, over it each mask in a colour of its own with a contour, and in the same
// colour the prompts that made it and a tag with its number and predicted IoU. Large masks lie under small ones.
// Integer arithmetic, the same bytes everywhere.
#ifndef INTSAM_APPS_COMMON_OVERLAY_H_
#define INTSAM_APPS_COMMON_OVERLAY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/common/bit_mask.h"
#include "apps/common/overlay_canvas.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/prompt_text.h"

namespace intsam::internal {

struct OverlayObject {
  BitMask mask;                // of the size of the overlay
  ObjectPrompt prompt;         // in the photo's own pixels
  std::optional<int> iou_q15;  // for the tag; nothing: it gets none
};

// The colour of object i, counted as in `objects` below: sixteen, begun with those that the colour-blind tell apart.
Rgb ObjectColour(size_t i);

// The size of an overlay whose longer side has at most `longest` pixels; 0: that of the photo.
ImageSize OverlaySize(ImageSize photo, uint32_t longest);

// Averages over the area of each new pixel. `to` is at most photo.size.
Image ShrinkPhoto(const Image& photo, ImageSize to);

// Draws on `picture`, which shows a photo of `photo` pixels. Tags carry numbers where there are several objects.
void DrawOverlay(Image& picture, ImageSize photo, const std::vector<OverlayObject>& objects);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_OVERLAY_H_
