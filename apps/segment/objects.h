// What is asked: the objects to segment, from the command line or a file, checked before the photo is encoded.
#ifndef INTSAM_APPS_SEGMENT_OBJECTS_H_
#define INTSAM_APPS_SEGMENT_OBJECTS_H_

#include <vector>

#include "apps/common/prompt_objects.h"
#include "apps/segment/settings.h"

namespace intsam::internal {

// kUsage for prompts that cannot be meant, with the option or the place in the file; kResource for masks that would
// take too much time or memory. No prompts: no objects.
Result<std::vector<Object>> GatherObjects(const SegmentSettings& settings, const intsam_model_info& model,
                                          ImageSize photo);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_SEGMENT_OBJECTS_H_
