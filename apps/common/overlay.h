// A picture for people: the photo at half its brightness, masks lit in a fixed palette with a contour, prompts on top
// (points on the object green, off it red, boxes yellow). Integer arithmetic, the same bytes everywhere.
#ifndef INTSAM_APPS_COMMON_OVERLAY_H_
#define INTSAM_APPS_COMMON_OVERLAY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "apps/common/photo/photo_reader.h"
#include "apps/common/prompt_text.h"

namespace intsam::internal {

struct Rgb {
  uint8_t red, green, blue;
  bool operator==(const Rgb&) const = default;
};

// The colour of the i-th mask; repeats after eight.
Rgb MaskColour(size_t i);

// masks[i]: bytes, zero outside, [height][width] of `photo`. Later masks cover earlier ones.
Image RenderOverlay(const Image& photo, std::span<const uint8_t* const> masks, std::span<const ObjectPrompt> prompts);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_OVERLAY_H_
