#include "runtime/everything/everything.h"

#include <algorithm>

#include "runtime/base/run_tasks.h"
#include "runtime/everything/suppress.h"
#include "runtime/exec/check_input.h"
#include "runtime/format/limits.h"
#include "runtime/image/components.h"

namespace intsam::internal {
namespace {

// The masks with these indices, in this order.
void Select(const std::vector<size_t>& kept, std::vector<FoundMask>& found) {
  std::vector<FoundMask> selected;
  selected.reserve(kept.size());
  for (const size_t i : kept) selected.push_back(std::move(found[i]));
  found = std::move(selected);
}

// Suppression among masks; score(mask) is greater for the better one.
template <class Score>
void Suppress(int32_t threshold_q30, const Score& score, std::vector<FoundMask>& found) {
  std::vector<PixelBox> boxes;
  std::vector<int64_t> scores;
  for (const FoundMask& mask : found) boxes.push_back(mask.box), scores.push_back(score(mask));
  Select(Suppress(boxes, scores, threshold_q30), found);
}

// Fills small holes and removes small islands, then what became a duplicate; masks left alone are the better ones.
Status RemoveSmallRegions(const EverythingOptions& options, ImageSize photo, Parallel& parallel,
                          std::vector<FoundMask>& found) {
  std::vector<uint8_t> changed(found.size());
  INTSAM_TRY(RunTasks(parallel, static_cast<int>(found.size()), [&](int index, int) {
    const auto i = static_cast<size_t>(index);
    FoundMask& mask = found[i];
    MaskRuns whole = mask.Whole(photo);
    changed[i] = RemoveSmallRegions(static_cast<uint64_t>(options.min_mask_region_area), whole);
    if (!changed[i]) return;
    mask.box = whole.Box();
    mask.rows = whole.Rows(mask.box.y0, mask.box.y1 + 1);
    mask.x = 0, mask.y = mask.box.y0;
  }));
  std::vector<PixelBox> boxes;
  std::vector<int64_t> scores;
  for (size_t i = 0; i < found.size(); ++i) boxes.push_back(found[i].box), scores.push_back(changed[i] == 0);
  Select(Suppress(boxes, scores, std::max(options.box_nms_thresh, options.crop_nms_thresh)), found);
  return Status();
}

// Counts the points of all crops for the session's hook, which it has for the time of its life.
class Progress {
 public:
  Progress(Session& session, int points) : session_(session), outer_(session.hook()) {
    if (!outer_) return;
    session.set_hook([this, points](const Step& step, int index, int) {
      return outer_(step, answered_ + (decoding_ ? index : 0), points);
    });
  }
  ~Progress() { session_.set_hook(std::move(outer_)); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void set_decoding(bool decoding) { decoding_ = decoding; }
  void Answered(size_t points) { answered_ += static_cast<int>(points); }

 private:
  Session& session_;
  StepHook outer_;
  int answered_ = 0;
  bool decoding_ = false;
};

Status SearchCrop(Session& session, const EverythingOptions& options, ImageSize photo, const Crop& crop,
                  Progress& progress, std::vector<FoundMask>& found) {
  const std::vector<PointPrompt> points = GridOf(crop.size(), options.PointsPerSide(crop.layer));
  const MaskSampling sampling(session.frame().resized, crop.size(), MaskView::Whole(crop.size()));
  std::vector<FoundMask> of_crop;
  std::vector<Prompt> prompts;
  progress.set_decoding(true);
  for (std::span<const PointPrompt> rest = points; !rest.empty();) {
    const auto batch = rest.first(std::min(rest.size(), static_cast<size_t>(options.points_per_batch)));
    rest = rest.subspan(batch.size());
    prompts.clear();
    for (const PointPrompt& point : batch) prompts.push_back({{&point, 1}, nullptr, nullptr});
    INTSAM_TRY(session.PredictBatch(prompts));
    INTSAM_TRY(AddCandidates(session, options, photo, crop, sampling, batch, of_crop));
    progress.Answered(batch.size());
  }
  progress.set_decoding(false);
  Suppress(
      options.box_nms_thresh, [](const FoundMask& mask) { return int64_t{mask.iou_q15}; }, of_crop);
  for (FoundMask& mask : of_crop) found.push_back(std::move(mask));
  return Status();
}

Status SearchCrops(Session& session, const Photo* photo, const EverythingOptions& options,
                   const std::vector<Crop>& crops, Progress& progress, std::vector<FoundMask>& found) {
  const ImageSize size = crops[0].size();
  EncodedImage whole;
  for (const Crop& crop : crops) {
    if (photo != nullptr) {
      const uint8_t* pixels = photo->pixels + crop.y0 * photo->stride + size_t{crop.x0} * PixelBytes(photo->format);
      INTSAM_TRY(session.SetImage(pixels, crop.size(), photo->stride, photo->format));
    }
    if (crop.layer == 0 && crops.size() > 1) whole = session.KeepImage();
    INTSAM_TRY(SearchCrop(session, options, size, crop, progress, found));
  }
  if (crops.size() == 1) return Status();
  session.RestoreImage(whole);
  // Masks of smaller crops are the better ones.
  Suppress(
      options.crop_nms_thresh, [](const FoundMask& mask) { return -static_cast<int64_t>(mask.crop.area()); }, found);
  return Status();
}

// Forgets an image that may be a crop's, unless all went well.
class ImageGuard {
 public:
  explicit ImageGuard(Session* session) : session_(session) {}
  ~ImageGuard() {
    if (session_ != nullptr) session_->DropImage();
  }
  ImageGuard(const ImageGuard&) = delete;
  ImageGuard& operator=(const ImageGuard&) = delete;
  void Release() { session_ = nullptr; }

 private:
  Session* session_;
};

}  // namespace

Status FindEverything(Session& session, const Photo* photo, const EverythingOptions& options,
                      std::vector<FoundMask>& found) {
  found.clear();
  session.DropResults();
  ImageGuard image(photo == nullptr ? nullptr : &session);
  INTSAM_TRY(CheckEverythingOptions(options));
  if (photo != nullptr) {
    INTSAM_TRY(CheckImage(photo->pixels, photo->size, photo->stride, photo->format));
  } else {
    if (!session.has_image()) return Error(Code::kUsage, "image: none is given, and none has been set");
    if (options.crop_n_layers > 0) return Error(Code::kUsage, "image: none is given, which crop_n_layers needs");
  }
  const ImageSize size = photo == nullptr ? session.frame().original : photo->size;
  const std::vector<Crop> crops =
      CropsOf(size, static_cast<uint32_t>(options.crop_n_layers), options.crop_overlap_ratio);
  uint64_t points = 0;
  for (const Crop& crop : crops)
    points += uint64_t{options.PointsPerSide(crop.layer)} * options.PointsPerSide(crop.layer);
  if (points > limits::kGridPoints)
    return Error(Code::kResource, "options: %llu points in all are more than %u",
                 static_cast<unsigned long long>(points), limits::kGridPoints);
  Progress progress(session, static_cast<int>(points));
  INTSAM_TRY(SearchCrops(session, photo, options, crops, progress, found));
  if (options.min_mask_region_area > 0 && !found.empty())
    INTSAM_TRY(RemoveSmallRegions(options, size, session.parallel(), found));
  session.DropResults();
  image.Release();
  return Status();
}

}  // namespace intsam::internal
