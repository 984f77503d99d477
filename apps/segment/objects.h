// What is asked: the objects to segment, from the command line or a file, checked before the photo is encoded.
#ifndef INTSAM_APPS_SEGMENT_OBJECTS_H_
#define INTSAM_APPS_SEGMENT_OBJECTS_H_

#include <cstdint>
#include <vector>

#include "apps/common/bit_mask.h"
#include "apps/common/prompt_text.h"
#include "apps/segment/settings.h"
#include "intsam/intsam.h"

namespace intsam::internal {

constexpr int kBestMask = -1;

struct Object {
  ObjectPrompt prompt;
  int choice = 0;               // which mask; kBestMask: the alternative with the highest predicted IoU
  BitMask drawn;                // the mask of the prompt where it is a picture, of the photo's size
  std::vector<int16_t> logits;  // ... or where it is a file of logits
};

// kUsage for prompts that cannot be meant, with the option or the place in the file; kResource for masks that would
// take too much time or memory. No prompts: no objects.
Result<std::vector<Object>> GatherObjects(const SegmentSettings& settings, const intsam_model_info& model,
                                          ImageSize photo);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_SEGMENT_OBJECTS_H_
