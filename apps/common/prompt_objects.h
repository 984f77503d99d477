// What is asked: objects to segment, each with which of its masks is wanted and the mask that its prompt names.
#ifndef INTSAM_APPS_COMMON_PROMPT_OBJECTS_H_
#define INTSAM_APPS_COMMON_PROMPT_OBJECTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/bit_mask.h"
#include "apps/common/prompt_text.h"
#include "intsam/intsam.hpp"
#include "runtime/base/status.h"

namespace intsam::internal {

constexpr int kBestMask = -1;
constexpr size_t kPromptBatch = 64;  // prompts that the library answers in one call

struct Object {
  ObjectPrompt prompt;
  int choice = 0;               // which mask; kBestMask: the alternative with the highest predicted IoU
  BitMask drawn;                // the mask of the prompt where it is a picture, of the photo's size
  std::vector<int16_t> logits;  // ... or where it is a file of logits
};

// Reads the masks that prompts name. select: auto, best or an index, as --select. `place`: where the prompts come from,
// for errors about masks; several objects are told apart by number. kUsage for a bad select and for masks that cannot
// be meant, kResource for masks that would take too much time or memory.
Result<std::vector<Object>> MakeObjects(std::vector<ObjectPrompt> prompts, const std::string& select,
                                        const std::string& place, const intsam_model_info& model, ImageSize photo);

// kUsage for what is no --select on any model; an index may still be too large for one.
Status CheckSelect(const std::string& select);

// Asks about objects [first, first + count) in one batch, and forgets the masks of their prompts.
Status PredictObjects(std::vector<Object>& objects, size_t first, size_t count, Session& session);

// The mask of result `result` that `object` wants.
inline int ChosenMask(const Object& object, const Session& session, size_t result) {
  return object.choice == kBestMask ? session.best_mask(result) : object.choice;
}

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PROMPT_OBJECTS_H_
