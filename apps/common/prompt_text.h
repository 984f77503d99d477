// Prompts as the tools know them, and their short forms on the command line. Coordinates are s32 in 1/64 pixel of the
// original image, x to the right and y down, and are parsed without floating point. Every error here is kUsage: a
// prompt that cannot be meant is the same mistake on the command line and in a file.
#ifndef INTSAM_APPS_COMMON_PROMPT_TEXT_H_
#define INTSAM_APPS_COMMON_PROMPT_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/limits.h"
#include "intsam/intsam.h"
#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

constexpr int32_t kPixel = 64;                          // units of a prompt coordinate in a pixel
constexpr int64_t kCoordinateLimit = int64_t{1} << 24;  // pixels

// What is said about one object. Not everything may be empty.
struct ObjectPrompt {
  std::vector<intsam_point> points;
  std::optional<intsam_box> box;
  std::string mask_path;  // a picture or a file of logits; empty: none
};

// A decimal number such as -3, 12.5 or .25 to 1/64 pixel, half up; below kCoordinateLimit in size.
Result<int32_t> ParseCoordinate(std::string_view text);

// "X,Y" or "X,Y,LABEL", and "X0,Y0,X1,Y1". Errors name `option`.
Result<intsam_point> ParsePoint(const std::string& option, std::string_view text);
Result<intsam_box> ParseBox(const std::string& option, std::string_view text);

// A point lies inside the image.
Status CheckPoint(const intsam_point& point, ImageSize image);

// The part of a box that lies inside the image: detectors and people draw a little over the edge. Refused when the box
// is empty or nothing of it is left.
Result<intsam_box> ClipBox(const intsam_box& box, ImageSize image);

// 12.5 for 800: the shortest exact decimal.
std::string CoordinateText(int32_t coordinate);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PROMPT_TEXT_H_
