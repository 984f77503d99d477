#include "runtime/everything/candidates.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "runtime/base/run_tasks.h"
#include "runtime/image/masks.h"

namespace intsam::internal {
namespace {

constexpr int64_t kNear = 20;  // pixels

class Filter {
 public:
  Filter(const Session& session, const EverythingOptions& options, ImageSize photo, const Crop& crop,
         const MaskSampling& sampling)
      : session_(session), options_(options), photo_(photo), crop_(crop), sampling_(sampling) {}

  std::optional<FoundMask> operator()(size_t result, uint32_t mask, const PointPrompt& point) const {
    FoundMask found;
    found.iou_q15 = session_.IouQ15(result, mask);
    if (options_.pred_iou_thresh > 0 && int64_t{found.iou_q15} * 32768 <= options_.pred_iou_thresh) return {};

    const auto count = [&](int64_t offset) { return CountPixels(Scan(result, mask, offset)); };
    const uint64_t high = count(options_.stability_score_offset),
                   low = count(-int64_t{options_.stability_score_offset});
    const int64_t threshold = options_.stability_score_thresh;
    if (threshold > 0 && (low == 0 || (high << 30) < static_cast<uint64_t>(threshold) * low)) return {};
    found.stability_q16 = StabilityQ16(high, low);

    const MaskRuns runs = CollectRuns(Scan(result, mask, 0));
    const PixelBox box = runs.Box();
    found.box = {box.x0 + crop_.x0, box.y0 + crop_.y0, box.x1 + crop_.x0, box.y1 + crop_.y0};
    if (NearCropEdge(found.box, crop_, photo_)) return {};
    found.rows = runs.Rows(box.y0, box.y1 + 1);
    found.x = crop_.x0, found.y = found.box.y0;
    found.point = {point.x + static_cast<int32_t>(64 * crop_.x0), point.y + static_cast<int32_t>(64 * crop_.y0), 1};
    found.crop = crop_;
    return found;
  }

 private:
  MaskScan Scan(size_t result, uint32_t mask, int64_t offset_q16) const {
    return {session_.LowRes(result, mask), session_.config().low_res(), sampling_, session_.Threshold(offset_q16)};
  }

  const Session& session_;
  const EverythingOptions& options_;
  ImageSize photo_;
  const Crop& crop_;
  const MaskSampling& sampling_;
};

}  // namespace

bool NearCropEdge(const PixelBox& box, const Crop& crop, ImageSize photo) {
  const std::array<int64_t, 4> sides = {box.x0, box.y0, box.x1, box.y1};
  const std::array<int64_t, 4> of_crop = {crop.x0, crop.y0, crop.x1, crop.y1};
  const std::array<int64_t, 4> of_photo = {0, 0, photo.width, photo.height};
  for (size_t i = 0; i < 4; ++i) {
    if (std::abs(sides[i] - of_crop[i]) <= kNear && std::abs(sides[i] - of_photo[i]) > kNear) return true;
  }
  return false;
}

Status AddCandidates(const Session& session, const EverythingOptions& options, ImageSize photo, const Crop& crop,
                     const MaskSampling& sampling, std::span<const PointPrompt> points, std::vector<FoundMask>& found) {
  const Filter filter(session, options, photo, crop, sampling);
  const uint32_t alternatives = session.config().num_masks() - 1;
  std::vector<std::optional<FoundMask>> passed(points.size() * alternatives);
  INTSAM_TRY(RunTasks(session.parallel(), static_cast<int>(passed.size()), [&](int index, int) {
    const size_t i = static_cast<size_t>(index), result = i / alternatives;
    passed[i] = filter(result, static_cast<uint32_t>(i % alternatives) + 1, points[result]);
  }));
  for (std::optional<FoundMask>& mask : passed) {
    if (mask) found.push_back(std::move(*mask));
  }
  return Status();
}

}  // namespace intsam::internal
