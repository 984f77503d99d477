// Answering the prompts of one photo, a batch at a time, and what is said of each answer.
#ifndef INTSAM_APPS_BATCH_ANSWERS_H_
#define INTSAM_APPS_BATCH_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/batch/photo_output.h"
#include "apps/common/prompt_objects.h"
#include "intsam/intsam.hpp"
#include "runtime/base/function_ref.h"
#include "runtime/base/status.h"

namespace intsam::internal {

struct PromptAnswer {
  size_t index;  // of the object
  int mask;      // which of its masks
  int32_t iou;   // predicted, Q15
};

// The columns of metadata.csv for answers, and what all records of answers have: area, bounding box (as the original
// package counts it), object, mask, predicted IoU.
std::string AnswerColumns();
MaskText AnswerText(const PromptAnswer& answer, const intsam_mask* mask);

// Hands over the mask of each object in turn. cascade: each is asked about again, together with the mask that it gave,
// and mask 0 is taken then.
Status AnswerObjects(std::vector<Object>& objects, bool cascade, const intsam_model_info& model, Session& session,
                     PhotoOutput& output,
                     FunctionRef<MaskText(const PromptAnswer& answer, const intsam_mask* mask)> text);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_ANSWERS_H_
