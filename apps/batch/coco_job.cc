// Boxes of detectors and of annotations, as the papers measure SAM: each box is cut at the photo and answered with one
// mask, whose score is the detector's times the predicted IoU.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <span>

#include "apps/batch/answers.h"
#include "apps/batch/job.h"
#include "apps/common/coco.h"
#include "apps/common/library_call.h"

namespace intsam::internal {
namespace {

constexpr int32_t kOneQ15 = 1 << 15;

// The best `most` of them by score, the earlier one of equals, in the order of the file.
std::vector<CocoBox> Selected(std::span<const CocoBox> boxes, int64_t least, size_t most) {
  std::vector<size_t> order;
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (boxes[i].score >= least) order.push_back(i);
  }
  if (order.size() > most) {
    std::stable_sort(order.begin(), order.end(),
                     [&boxes](size_t a, size_t b) { return boxes[a].score > boxes[b].score; });
    order.resize(most);
    std::sort(order.begin(), order.end());
  }
  std::vector<CocoBox> selected;
  selected.reserve(order.size());
  for (const size_t i : order) selected.push_back(boxes[i]);
  return selected;
}

class CocoJob : public Job {
 public:
  CocoJob(const BatchSettings& settings, const intsam_model_info& model, std::vector<CocoBox> boxes)
      : settings_(settings), model_(model), boxes_(std::move(boxes)) {
    std::stable_sort(boxes_.begin(), boxes_.end(),
                     [](const CocoBox& a, const CocoBox& b) { return a.image_id < b.image_id; });
  }

  // Counts what is about no photo; kUsage when that is all there is.
  Status Match(const std::vector<NamedPhoto>& photos, std::vector<std::string>& notes) const {
    std::set<int64_t> known, unknown;
    for (const NamedPhoto& photo : photos) known.insert(photo.coco_id);
    size_t count = 0;
    for (const CocoBox& box : boxes_) {
      if (known.contains(box.image_id)) continue;
      unknown.insert(box.image_id);
      ++count;
    }
    if (count == 0) return Status();
    const std::string& path = settings_.detections.empty() ? settings_.annotations : settings_.detections;
    const std::string example = "such as image_id " + std::to_string(*unknown.begin());
    if (count == boxes_.size())
      return Status(Code::kUsage, path + ": none of its boxes is about one of the photos (" + example + ")");
    notes.push_back(path + ": " + std::to_string(count) + " boxes of " + std::to_string(unknown.size()) +
                    " images that are none of the photos are left out, " + example);
    return Status();
  }

  std::string Columns() const override { return AnswerColumns() + ",category_id,score"; }

  Status Run(const NamedPhoto& photo, const Image& image, Session& session, PhotoOutput& output,
             size_t& left_out) const override {
    // Pointers, because not all libc++ make a span of iterators.
    const auto [first, last] =
        std::equal_range(boxes_.data(), boxes_.data() + boxes_.size(), CocoBox{photo.coco_id, 0, {}, 0},
                         [](const CocoBox& a, const CocoBox& b) { return a.image_id < b.image_id; });
    std::vector<CocoBox> boxes = Selected({first, last}, settings_.min_score, settings_.max_detections);
    std::vector<ObjectPrompt> prompts;
    left_out = std::erase_if(boxes, [&](const CocoBox& box) {
      const Result<intsam_box> clipped = ClipBox(box.box, image.size);
      if (!clipped.ok()) return true;
      prompts.push_back(PromptOf(clipped.value()));
      return false;
    });
    if (prompts.empty()) return Status();
    INTSAM_TRY(FromOutcome(session.SetImage(Described(image))));
    INTSAM_ASSIGN(std::vector<Object> objects,
                  MakeObjects(std::move(prompts), settings_.select, "a box", model_, image.size));
    const auto text = [&](const PromptAnswer& answer, const intsam_mask* mask) {
      return TextOf(boxes[answer.index], answer, mask);
    };
    return AnswerObjects(objects, settings_.cascade, model_, session, output, text);
  }

 private:
  ObjectPrompt PromptOf(const intsam_box& box) const {
    ObjectPrompt prompt;
    if (settings_.coco_prompt == CocoPrompt::kCenters) {
      prompt.points.push_back({(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, 1});
    } else {
      prompt.box = box;
    }
    return prompt;
  }

  MaskText TextOf(const CocoBox& box, const PromptAnswer& answer, const intsam_mask* mask) const {
    MaskText text = AnswerText(answer, mask);
    const int64_t detector = settings_.score == CocoScore::kIou ? int64_t{1} << 30 : box.score;
    const int32_t iou = settings_.score == CocoScore::kDetector ? kOneQ15 : answer.iou;
    text.score = CocoScoreText(detector, iou);
    text.category_id = box.category_id;
    const std::string category = std::to_string(box.category_id);
    text.values += "," + category + "," + text.score;
    text.members += ", \"category_id\": " + category + ", \"score\": " + text.score;
    return text;
  }

  const BatchSettings& settings_;
  const intsam_model_info model_;
  std::vector<CocoBox> boxes_;  // by image
};

// Without annotations a photo's name is its id, as COCO's own are: 000000000139.jpg.
Status NumberPhotos(std::vector<NamedPhoto>& photos, std::vector<std::string>& notes) {
  std::map<int64_t, const NamedPhoto*> ids;
  size_t without = 0;
  for (NamedPhoto& photo : photos) {
    const std::string stem = Stem(photo.name.substr(photo.name.rfind('/') + 1));
    const char* end = stem.data() + stem.size();
    const auto [stop, error] = std::from_chars(stem.data(), end, photo.coco_id);
    if (error != std::errc() || stop != end) {
      photo.coco_id = -1;
      ++without;
    }
  }
  if (without == photos.size()) {
    return Status(Code::kUsage, "no photo is named by a number, as COCO's are (" + photos.front().name +
                                    " is not); --annotations says which ids they have");
  }
  std::erase_if(photos, [](const NamedPhoto& photo) { return photo.coco_id < 0; });
  for (const NamedPhoto& photo : photos) {
    const auto [other, is_new] = ids.emplace(photo.coco_id, &photo);
    if (!is_new) {
      return Status(Code::kUsage, other->second->name + " and " + photo.name + " both have the image_id " +
                                      std::to_string(photo.coco_id));
    }
  }
  if (without > 0) notes.push_back(std::to_string(without) + " photos are not named by a number and are left out");
  return Status();
}

}  // namespace

Status MakeCocoJob(const BatchSettings& settings, const intsam_model_info& model, BatchWork& work) {
  std::vector<CocoBox> boxes;
  if (settings.annotations.empty()) {
    INTSAM_TRY(NumberPhotos(work.photos, work.notes));
  } else {
    const bool prompts = settings.coco_prompt != CocoPrompt::kDetections;
    INTSAM_ASSIGN(CocoAnnotations annotations, ReadCocoAnnotations(settings.annotations, prompts));
    INTSAM_ASSIGN(const std::vector<CocoPhoto> photos,
                  PhotosOfCoco(settings.annotations, annotations, settings.sources.inputs.front()));
    for (const CocoPhoto& photo : photos) work.photos.push_back({photo.name, photo.path, photo.id});
    work.classes = std::move(annotations.categories);
    boxes = std::move(annotations.boxes);
  }
  if (!settings.detections.empty()) {
    INTSAM_ASSIGN(boxes, ReadCocoDetections(settings.detections));
  }
  auto job = std::make_unique<CocoJob>(settings, model, std::move(boxes));
  INTSAM_TRY(job->Match(work.photos, work.notes));
  work.job = std::move(job);
  return Status();
}

}  // namespace intsam::internal
