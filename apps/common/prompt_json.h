// Prompt files. An array of entries describes one object, an array of arrays several:
//   [{"type": "point", "data": [x, y], "label": 1},          label 0: not this
//    {"type": "rectangle", "data": [x0, y0, x1, y1]},        "box" is the same; a label is accepted and ignored
//    {"type": "mask", "data": "file.png"}]                   relative to the folder of the prompt file
// in pixels of the original image. At most 1 MiB, depth 8, 256 entries per object, 4096 objects; one box and one mask
// per object.
#ifndef INTSAM_APPS_COMMON_PROMPT_JSON_H_
#define INTSAM_APPS_COMMON_PROMPT_JSON_H_

#include <string>
#include <string_view>
#include <vector>

#include "apps/common/prompt_text.h"

namespace intsam::internal {

// kDamaged for syntax, wrong fields and prompts outside the image, kUnsupported for unknown types, kResource above the
// limits. Messages name the object and the entry.
Result<std::vector<ObjectPrompt>> ParsePrompts(std::string_view json, ImageSize image);

// The same from a file; messages start with the path, mask paths are resolved.
Result<std::vector<ObjectPrompt>> ReadPrompts(const std::string& path, ImageSize image);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PROMPT_JSON_H_
