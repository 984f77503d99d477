// Accuracy of the integer model beside the float reference: mask agreement, and IoU with human masks.
#ifndef INTSAM_CONVERTER_VERIFY_EVALUATE_H_
#define INTSAM_CONVERTER_VERIFY_EVALUATE_H_

#include <utility>
#include <vector>

#include "converter/fp32/float_sam.h"
#include "converter/progress.h"
#include "converter/verify/regions.h"
#include "runtime/exec/session.h"

namespace intsam::internal {

// The float reference's mask at the size of the original photo (bilinear x4, crop, bilinear; logit > 0).
std::vector<uint8_t> FloatMask(const float* low_res, uint32_t side, ImageSize resized, ImageSize original);

struct PromptScore {
  double agreement = 0;                    // IoU of the integer mask with the float one
  double iou_fp32 = 0, iou_int = 0;        // with the human mask
  double oracle_fp32 = 0, oracle_int = 0;  // of the best of the alternatives
};

// Means over prompts of one kind.
struct KindScore {
  int prompts = 0;
  PromptScore mean;
  double worst_agreement = 1;
  void Add(const PromptScore& score);
};

struct Evaluation {
  int images = 0;
  bool labelled = false;
  double embedding_error = 0;  // mean over photos of the relative L2 distance of the embeddings
  double logit_error = 0;      // mean over prompts of that of the low-resolution logits of the chosen mask
  KindScore point, box;        // point: highest predicted IoU of the alternatives; box: the single-mask output
  double fp32_encode_s = 0, int_encode_s = 0;  // sums over photos
};

// An integer model to be measured; all of an evaluator's have the reference's configuration.
struct Contestant {
  Session* session;
  const Model* model;
};

// Runs the float reference once, and every contestant, on the same photos and prompts.
class Evaluator {
 public:
  Evaluator(FloatSam& reference, std::vector<Contestant> contestants)
      : reference_(reference), contestants_(std::move(contestants)), totals_(contestants_.size()) {}

  // rgb: [height][width][3]. With labels (same size) prompts come from human regions; without, from a grid of points
  // and the tight boxes of the reference's masks, and only agreement is measured.
  Status Add(const uint8_t* rgb, ImageSize size, const std::vector<uint16_t>* labels);
  // Called within Add with how far this photo is.
  void set_progress(StepProgress progress) { progress_ = std::move(progress); }
  const Evaluation& result(size_t contestant = 0) const { return totals_[contestant]; }

 private:
  // The reference's answer to one prompt.
  struct Reference {
    FloatMasks masks;
    uint32_t chosen;                        // the output that counts
    std::vector<std::vector<uint8_t>> all;  // masks of every output
  };
  // One photo, as the reference sees it.
  struct Photo {
    Frame frame;
    std::vector<float> embedding;
  };
  Reference Answer(const Photo& photo, const PointPrompt* point, const BoxPrompt* box);
  // Scores every contestant's answer to the same prompt; `human` may be null.
  Status Score(const Photo& photo, const Reference& reference, const PointPrompt* point, const BoxPrompt* box,
               const std::vector<uint8_t>* human);
  void StepDone();
  Status AddRegion(const Photo& photo, const Region& region);
  Status AddGrid(const Photo& photo);

  FloatSam& reference_;
  std::vector<Contestant> contestants_;
  std::vector<Evaluation> totals_;
  StepProgress progress_;
  uint64_t steps_ = 0, steps_done_ = 0;  // of the photo that is being added
  int predictions_ = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_VERIFY_EVALUATE_H_
