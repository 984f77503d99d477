// Prompts as the tools know them, and their short forms on the command line. Coordinates are s32 in 1/64 pixel of the
// original image, x to the right and y down, and are parsed without floating point.
#ifndef INTSAM_APPS_COMMON_PROMPT_TEXT_H_
#define INTSAM_APPS_COMMON_PROMPT_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/limits.h"
#include "runtime/base/status.h"
#include "runtime/exec/executor.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

constexpr int32_t kPixel = 64;  // units of a prompt coordinate in a pixel

// What is said about one object. Not everything may be empty.
struct ObjectPrompt {
  std::vector<PointPrompt> points;
  std::optional<BoxPrompt> box;
  std::string mask_path;  // empty: none
};

// A decimal number such as -3, 12.5 or .25 to 1/64 pixel, half up; below 32768 pixels in size.
Result<int32_t> ParseCoordinate(std::string_view text);

// "X,Y" or "X,Y,LABEL", and "X0,Y0,X1,Y1". Errors are kUsage and name `option`.
Result<PointPrompt> ParsePoint(const std::string& option, std::string_view text);
Result<BoxPrompt> ParseBox(const std::string& option, std::string_view text);

// Points lie inside the image, boxes too (their far corner may touch the edge) and are not empty. The error is a
// sentence without a code of its own: `code` says whether a user or a file is to blame.
Status CheckPoint(const PointPrompt& point, ImageSize image, Code code);
Status CheckBox(const BoxPrompt& box, ImageSize image, Code code);

// 12.5 for 800: the shortest exact decimal.
std::string CoordinateText(int32_t coordinate);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PROMPT_TEXT_H_
