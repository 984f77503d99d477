// Prompt files: the form that samexporter and rembg (sam_prompt) read, which describes one object, and an array of such
// for several. Described for users in docs/tools.md:
//   [{"type": "point", "data": [x, y], "label": 1},          label 0: not this; without one: 1
//    {"type": "rectangle", "data": [x0, y0, x1, y1]},        "box" is the same; a label is accepted and ignored
//    {"type": "mask", "data": "file.png"}]                   relative to the folder of the prompt file
// in pixels of the original image. At most 1 MiB, depth 8, 256 entries per object, 4096 objects; one box and one mask
// per object.
#ifndef INTSAM_APPS_COMMON_PROMPT_JSON_H_
#define INTSAM_APPS_COMMON_PROMPT_JSON_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/prompt_text.h"

namespace intsam::internal {

// kDamaged for what is not a file of this form: syntax, missing, wrong, unknown and repeated keys. kUsage for prompts
// that cannot be meant (prompt_text.h), kUnsupported for unknown types, kResource above the limits. Messages name the
// object and the entry. Boxes come back clipped to the image.
Result<std::vector<ObjectPrompt>> ParsePrompts(std::string_view json, ImageSize image);

// The same of JSON that has been parsed (strict_json.h).
Result<std::vector<ObjectPrompt>> PromptsOf(const nlohmann::json& document, ImageSize image);

// Names of masks are relative to the folder of `path`, the file that the prompts come from.
void ResolveMasks(const std::string& path, std::vector<ObjectPrompt>& objects);

// The same from a file, or from standard input for "-"; messages start with the path, and the paths of masks are
// resolved.
Result<std::vector<ObjectPrompt>> ReadPrompts(const std::string& path, ImageSize image);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PROMPT_JSON_H_
