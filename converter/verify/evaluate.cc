#include "converter/verify/evaluate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "converter/quantize/parameters.h"
#include "runtime/encoder/layers.h"

namespace intsam::internal {
namespace {

constexpr size_t kRegions = 6;     // of a photo with labels
constexpr uint32_t kGridSide = 3;  // points of one without

// One bilinear sample position: align_corners = False, as torch.nn.functional.interpolate.
struct Tap {
  uint32_t first, second;
  float weight;  // of second
};

std::vector<Tap> Taps(uint32_t from, uint32_t to) {
  std::vector<Tap> taps;
  for (uint32_t i = 0; i < to; ++i) {
    const double at = std::max(0.0, (i + 0.5) * from / to - 0.5);
    const uint32_t first = std::min(from - 1, static_cast<uint32_t>(at));
    taps.push_back({first, std::min(first + 1, from - 1), static_cast<float>(at - first)});
  }
  return taps;
}

std::vector<float> Interpolate(const std::vector<float>& map, ImageSize from, ImageSize to) {
  const std::vector<Tap> xs = Taps(from.width, to.width), ys = Taps(from.height, to.height);
  std::vector<float> out(size_t{to.width} * to.height);
  for (uint32_t y = 0; y < to.height; ++y) {
    const float* above = &map[size_t{ys[y].first} * from.width];
    const float* below = &map[size_t{ys[y].second} * from.width];
    for (uint32_t x = 0; x < to.width; ++x) {
      const Tap& t = xs[x];
      const float upper = above[t.first] + t.weight * (above[t.second] - above[t.first]);
      const float lower = below[t.first] + t.weight * (below[t.second] - below[t.first]);
      out[size_t{y} * to.width + x] = upper + ys[y].weight * (lower - upper);
    }
  }
  return out;
}

// |a * unit - b| / |b|.
double RelativeError(const int16_t* a, double unit, const float* b, size_t n) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < n; ++i) {
    difference += (a[i] * unit - b[i]) * (a[i] * unit - b[i]);
    norm += double{b[i]} * b[i];
  }
  return std::sqrt(difference / std::max(norm, 1e-30));
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Best(const std::vector<std::vector<uint8_t>>& masks, const std::vector<uint8_t>& human) {
  double best = 0;
  for (size_t i = 1; i < masks.size(); ++i) best = std::max(best, MaskIou(masks[i], human));
  return best;
}

}  // namespace

std::vector<uint8_t> FloatMask(const float* low_res, uint32_t side, ImageSize resized, ImageSize original) {
  const std::vector<float> input(low_res, low_res + size_t{side} * side);
  const std::vector<float> full = Interpolate(input, {side, side}, {4 * side, 4 * side});
  std::vector<float> cropped;
  for (uint32_t y = 0; y < resized.height; ++y) {
    cropped.insert(cropped.end(), full.begin() + static_cast<std::ptrdiff_t>(size_t{y} * 4 * side),
                   full.begin() + static_cast<std::ptrdiff_t>(size_t{y} * 4 * side + resized.width));
  }
  const std::vector<float> logits = Interpolate(cropped, resized, original);
  std::vector<uint8_t> mask(logits.size());
  for (size_t i = 0; i < mask.size(); ++i) mask[i] = logits[i] > 0;
  return mask;
}

void KindScore::Add(const PromptScore& score) {
  ++prompts;
  const auto update = [this](double& running, double value) { running += (value - running) / prompts; };
  update(mean.agreement, score.agreement);
  update(mean.iou_fp32, score.iou_fp32);
  update(mean.iou_int, score.iou_int);
  update(mean.oracle_fp32, score.oracle_fp32);
  update(mean.oracle_int, score.oracle_int);
  worst_agreement = std::min(worst_agreement, score.agreement);
}

// As encoders' steps and prompts; what else there is to do takes no time beside them.
void Evaluator::StepDone() {
  if (progress_) progress_(++steps_done_, steps_, "");
}

Status Evaluator::Add(const uint8_t* rgb, ImageSize size, const std::vector<uint16_t>* labels) {
  std::vector<Region> regions;
  if (labels != nullptr) regions = RegionsOf(*labels, size, kRegions);
  const size_t encoder_steps = EncoderLayers(contestants_.front().session->config()).size();
  steps_ = encoder_steps * (contestants_.size() + 1) + (labels != nullptr ? regions.size() : kGridSide * kGridSide);
  steps_done_ = 0;

  Photo photo;
  for (size_t i = 0; i < contestants_.size(); ++i) {
    Session& session = *contestants_[i].session;
    session.set_hook([this](const Step&, int, int) { return StepDone(), true; });
    const auto start = std::chrono::steady_clock::now();
    INTSAM_TRY(session.SetImage(rgb, size, size_t{size.width} * 3, PixelFormat::kRgb));
    totals_[i].int_encode_s += SecondsSince(start);
    session.set_hook({});
    photo.frame = session.frame();
  }
  const ImageSize resized = photo.frame.resized;
  std::vector<uint8_t> pixels, scratch;
  ResizeToRgb(rgb, size, size_t{size.width} * 3, PixelFormat::kRgb, resized, pixels, scratch);
  reference_.set_timer([this](const Step&, int64_t) { StepDone(); });
  const auto start = std::chrono::steady_clock::now();
  photo.embedding = reference_.EncodeImage(pixels.data(), resized.height, resized.width);
  const double fp32_s = SecondsSince(start);
  reference_.set_timer({});

  for (size_t i = 0; i < contestants_.size(); ++i) {
    Evaluation& total = totals_[i];
    const double key_unit = ToReal(contestants_[i].model->weights().mask_decoder.key_unit);
    const double error = RelativeError(contestants_[i].session->embedding().data(), key_unit, photo.embedding.data(),
                                       photo.embedding.size());
    ++total.images;
    total.fp32_encode_s += fp32_s;
    total.embedding_error += (error - total.embedding_error) / total.images;
    total.labelled |= labels != nullptr;
  }
  if (labels == nullptr) return AddGrid(photo);
  for (const Region& region : regions) INTSAM_TRY(AddRegion(photo, region));
  return Status();
}

Evaluator::Reference Evaluator::Answer(const Photo& photo, const PointPrompt* point, const BoxPrompt* box) {
  const Frame& frame = photo.frame;
  const double sx = static_cast<double>(frame.resized.width) / frame.original.width / 64;
  const double sy = static_cast<double>(frame.resized.height) / frame.original.height / 64;
  FloatPrompt prompt;
  if (point != nullptr) {
    prompt.points = {static_cast<float>(point->x * sx), static_cast<float>(point->y * sy)};
    prompt.labels = {point->label};
  }
  if (box != nullptr) {
    prompt.has_box = true;
    const double corners[4] = {box->x0 * sx, box->y0 * sy, box->x1 * sx, box->y1 * sy};
    for (int i = 0; i < 4; ++i) prompt.box[i] = static_cast<float>(corners[i]);
  }
  const SamConfig& config = contestants_.front().session->config();
  const size_t pixels = size_t{config.low_res()} * config.low_res();
  Reference answer;
  answer.masks = reference_.Decode(photo.embedding, prompt);
  const std::vector<float>& iou = answer.masks.iou;
  answer.chosen =
      box != nullptr ? 0 : static_cast<uint32_t>(std::max_element(iou.begin() + 1, iou.end()) - iou.begin());
  for (uint32_t i = 0; i < config.num_masks(); ++i) {
    answer.all.push_back(
        FloatMask(answer.masks.low_res.data() + i * pixels, config.low_res(), frame.resized, frame.original));
  }
  return answer;
}

Status Evaluator::Score(const Photo& photo, const Reference& reference, const PointPrompt* point, const BoxPrompt* box,
                        const std::vector<uint8_t>* human) {
  Prompt prompt;
  if (point != nullptr) prompt.points = {point, 1};
  prompt.box = box;
  const std::vector<uint8_t>& fp32 = reference.all[reference.chosen];
  ++predictions_;
  for (size_t at = 0; at < contestants_.size(); ++at) {
    Session& session = *contestants_[at].session;
    INTSAM_TRY(session.Predict(prompt));
    const SamConfig& config = session.config();
    const size_t pixels = size_t{config.low_res()} * config.low_res();
    std::vector<std::vector<uint8_t>> masks(config.num_masks());
    for (uint32_t i = 0; i < config.num_masks(); ++i) {
      masks[i].resize(fp32.size());
      INTSAM_TRY(session.Mask(0, i, masks[i].data(), photo.frame.original.width, false));
    }
    const std::vector<uint8_t>& integer = masks[box != nullptr ? 0 : session.BestMask(0)];
    // The same output on both sides: choosing another alternative is not an error of its logits.
    const double logit_unit = ToReal(contestants_[at].model->weights().mask_decoder.logit_unit);
    const double error = RelativeError(session.LowRes(0, reference.chosen), logit_unit,
                                       reference.masks.low_res.data() + reference.chosen * pixels, pixels);
    Evaluation& total = totals_[at];
    total.logit_error += (error - total.logit_error) / predictions_;
    PromptScore score;
    score.agreement = MaskIou(fp32, integer);
    if (human != nullptr) {
      score.iou_fp32 = MaskIou(fp32, *human), score.iou_int = MaskIou(integer, *human);
      score.oracle_fp32 = Best(reference.all, *human), score.oracle_int = Best(masks, *human);
    }
    (box != nullptr ? total.box : total.point).Add(score);
  }
  return Status();
}

Status Evaluator::AddRegion(const Photo& photo, const Region& region) {
  StepDone();
  INTSAM_TRY(Score(photo, Answer(photo, &region.point, nullptr), &region.point, nullptr, &region.mask));
  if (region.box.x0 >= region.box.x1 || region.box.y0 >= region.box.y1) return Status();
  return Score(photo, Answer(photo, nullptr, &region.box), nullptr, &region.box, &region.mask);
}

Status Evaluator::AddGrid(const Photo& photo) {
  const ImageSize size = photo.frame.original;
  for (uint32_t i = 0; i < kGridSide * kGridSide; ++i) {
    StepDone();
    const PointPrompt point{static_cast<int32_t>((2 * (i % kGridSide) + 1) * size.width * 64 / (2 * kGridSide)),
                            static_cast<int32_t>((2 * (i / kGridSide) + 1) * size.height * 64 / (2 * kGridSide)), 1};
    const Reference by_point = Answer(photo, &point, nullptr);
    INTSAM_TRY(Score(photo, by_point, &point, nullptr, nullptr));
    const std::vector<uint8_t>& mask = by_point.all[by_point.chosen];
    BoxPrompt box{INT32_MAX, INT32_MAX, 0, 0};
    for (size_t at = 0; at < mask.size(); ++at) {
      if (mask[at] == 0) continue;
      const int32_t x = static_cast<int32_t>(at % size.width) * 64, y = static_cast<int32_t>(at / size.width) * 64;
      box = {std::min(box.x0, x), std::min(box.y0, y), std::max(box.x1, x), std::max(box.y1, y)};
    }
    if (box.x0 >= box.x1 || box.y0 >= box.y1) continue;
    INTSAM_TRY(Score(photo, Answer(photo, nullptr, &box), nullptr, &box, nullptr));
  }
  return Status();
}

}  // namespace intsam::internal
