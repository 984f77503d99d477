#include "apps/batch/answers.h"

#include <algorithm>

#include "apps/common/library_call.h"
#include "apps/common/mask_records.h"
#include "apps/common/score.h"

namespace intsam::internal {
namespace {

constexpr int kDecimals = 6;  // as in the records of everything mode

// Makes the masks that objects have been answered with their prompts.
void FeedBack(std::vector<Object>& objects, size_t first, size_t count, const intsam_model_info& model,
              const Session& session) {
  const size_t pixels = static_cast<size_t>(model.low_res_size) * static_cast<size_t>(model.low_res_size);
  for (size_t result = 0; result < count; ++result) {
    Object& object = objects[first + result];
    const int16_t* logits = session.low_res(result, ChosenMask(object, session, result));
    object.logits.assign(logits, logits + pixels);
    object.choice = 0;
  }
}

}  // namespace

std::string AnswerColumns() { return "area,bbox_x0,bbox_y0,bbox_w,bbox_h,object,mask,predicted_iou"; }

MaskText AnswerText(const PromptAnswer& answer, const intsam_mask* mask) {
  const MaskShape shape = ShapeOf(mask);
  const std::string area = std::to_string(shape.area), object = std::to_string(answer.index),
                    which = std::to_string(answer.mask), iou = ScoreText(answer.iou, kDecimals);
  return {area + "," + RectText(shape.box, ",") + "," + object + "," + which + "," + iou,
          "\"area\": " + area + ", \"bbox\": [" + RectText(shape.box, ", ") + "], \"object\": " + object +
              ", \"mask\": " + which + ", \"predicted_iou\": " + iou,
          iou, 1};
}

Status AnswerObjects(std::vector<Object>& objects, bool cascade, const intsam_model_info& model, Session& session,
                     PhotoOutput& output,
                     FunctionRef<MaskText(const PromptAnswer& answer, const intsam_mask* mask)> text) {
  for (size_t first = 0; first < objects.size(); first += kPromptBatch) {
    const size_t count = std::min(kPromptBatch, objects.size() - first);
    INTSAM_TRY(PredictObjects(objects, first, count, session));
    if (cascade) {
      FeedBack(objects, first, count, model, session);
      INTSAM_TRY(PredictObjects(objects, first, count, session));
    }
    for (size_t result = 0; result < count; ++result) {
      const int chosen = ChosenMask(objects[first + result], session, result);
      intsam::Mask mask;
      INTSAM_TRY(FromOutcome(session.MakeMask(result, chosen, nullptr, mask)));
      const PromptAnswer answer = {first + result, chosen, session.iou(result, chosen)};
      INTSAM_TRY(output.AddMask(mask.get(), text(answer, mask.get())));
    }
  }
  return Status();
}

}  // namespace intsam::internal
