// Prompts from the command line and from files.
#include "apps/segment/objects.h"

#include <algorithm>

#include "apps/common/limits.h"
#include "apps/common/prompt_json.h"

namespace intsam::internal {
namespace {

Result<std::vector<ObjectPrompt>> TypedPrompts(const SegmentSettings& settings, ImageSize photo) {
  if (settings.points.size() > kMaxPromptsPerObject)
    return Error(Code::kResource, "--point: %zu points, the limit is %zu", settings.points.size(),
                 kMaxPromptsPerObject);
  if (settings.boxes.size() > kMaxObjects)
    return Error(Code::kResource, "--box: %zu objects, the limit is %zu", settings.boxes.size(), kMaxObjects);
  std::vector<ObjectPrompt> objects(std::max<size_t>(1, settings.boxes.size()));
  for (const std::string& text : settings.points) {
    INTSAM_ASSIGN(const intsam_point point, ParsePoint("--point", text));
    INTSAM_TRY(CheckPoint(point, photo).WithPrefix("--point " + text));
    objects.front().points.push_back(point);
  }
  for (size_t i = 0; i < settings.boxes.size(); ++i) {
    INTSAM_ASSIGN(const intsam_box box, ParseBox("--box", settings.boxes[i]));
    Result<intsam_box> clipped = ClipBox(box, photo);
    if (!clipped.ok()) return clipped.status().WithPrefix("--box " + settings.boxes[i]);
    objects[i].box = clipped.value();
  }
  objects.front().mask_path = settings.mask_input;
  return objects;
}

}  // namespace

Result<std::vector<Object>> GatherObjects(const SegmentSettings& settings, const intsam_model_info& model,
                                          ImageSize photo) {
  if (!settings.has_prompt()) return std::vector<Object>();
  INTSAM_ASSIGN(std::vector<ObjectPrompt> prompts,
                settings.prompts.empty() ? TypedPrompts(settings, photo) : ReadPrompts(settings.prompts, photo));
  return MakeObjects(std::move(prompts), settings.select, settings.prompts.empty() ? "--mask-input" : settings.prompts,
                     model, photo);
}

}  // namespace intsam::internal
