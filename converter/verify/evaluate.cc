#include "converter/verify/evaluate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "converter/quantize/parameters.h"

namespace intsam {
namespace {

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

Status Evaluator::Add(const uint8_t* rgb, ImageSize size, const std::vector<uint16_t>* labels) {
  auto start = std::chrono::steady_clock::now();
  INTSAM_TRY(session_.SetImage(rgb, size, size_t{size.width} * 3, PixelFormat::kRgb));
  total_.int_encode_s += SecondsSince(start);
  const ImageSize resized = session_.frame().resized;
  std::vector<uint8_t> pixels, scratch;
  ResizeToRgb(rgb, size, size_t{size.width} * 3, PixelFormat::kRgb, resized, pixels, scratch);
  start = std::chrono::steady_clock::now();
  const std::vector<float> embedding = reference_.EncodeImage(pixels.data(), resized.height, resized.width);
  total_.fp32_encode_s += SecondsSince(start);

  const double key_unit = ToReal(model_.weights().mask_decoder.key_unit);
  const double error = RelativeError(session_.embedding().data(), key_unit, embedding.data(), embedding.size());
  ++total_.images;
  total_.embedding_error += (error - total_.embedding_error) / total_.images;
  if (labels == nullptr) return AddGrid(embedding);
  total_.labelled = true;
  for (const Region& region : RegionsOf(*labels, size, 6)) INTSAM_TRY(AddRegion(embedding, region));
  return Status();
}

Result<Evaluator::Predicted> Evaluator::Predict(const std::vector<float>& embedding, const PointPrompt* point,
                                                const BoxPrompt* box) {
  const Frame& frame = session_.frame();
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
  const FloatMasks masks = reference_.Decode(embedding, prompt);
  Prompt integer_prompt;
  if (point != nullptr) integer_prompt.points = {point, 1};
  integer_prompt.box = box;
  INTSAM_TRY(session_.Predict(integer_prompt));

  const SamConfig& config = session_.config();
  const size_t pixels = size_t{config.low_res()} * config.low_res();
  const uint32_t single = box != nullptr ? 1 : 0;
  const uint32_t fp32_index =
      single ? 0 : static_cast<uint32_t>(std::max_element(masks.iou.begin() + 1, masks.iou.end()) - masks.iou.begin());
  const uint32_t int_index = single ? 0 : session_.BestMask();
  Predicted predicted;
  for (uint32_t i = 0; i < config.num_masks(); ++i) {
    predicted.fp32_all.push_back(
        FloatMask(masks.low_res.data() + i * pixels, config.low_res(), frame.resized, frame.original));
    std::vector<uint8_t> mask(predicted.fp32_all.back().size());
    INTSAM_TRY(session_.Mask(i, mask.data(), frame.original.width, false));
    predicted.integer_all.push_back(std::move(mask));
  }
  predicted.fp32 = predicted.fp32_all[fp32_index];
  predicted.integer = predicted.integer_all[int_index];
  // The same output on both sides: choosing another alternative is not an error of its logits.
  predicted.logit_error = RelativeError(session_.LowRes(fp32_index), ToReal(model_.weights().mask_decoder.logit_unit),
                                        masks.low_res.data() + fp32_index * pixels, pixels);
  ++predictions_;
  total_.logit_error += (predicted.logit_error - total_.logit_error) / predictions_;
  return predicted;
}

Status Evaluator::AddRegion(const std::vector<float>& embedding, const Region& region) {
  const auto score = [&](const Predicted& p) {
    return PromptScore{MaskIou(p.fp32, p.integer), MaskIou(p.fp32, region.mask), MaskIou(p.integer, region.mask),
                       Best(p.fp32_all, region.mask), Best(p.integer_all, region.mask)};
  };
  INTSAM_ASSIGN(const Predicted by_point, Predict(embedding, &region.point, nullptr));
  total_.point.Add(score(by_point));
  if (region.box.x0 >= region.box.x1 || region.box.y0 >= region.box.y1) return Status();
  INTSAM_ASSIGN(const Predicted by_box, Predict(embedding, nullptr, &region.box));
  total_.box.Add(score(by_box));
  return Status();
}

Status Evaluator::AddGrid(const std::vector<float>& embedding) {
  const ImageSize size = session_.frame().original;
  constexpr uint32_t kSide = 3;
  for (uint32_t i = 0; i < kSide * kSide; ++i) {
    const PointPrompt point{static_cast<int32_t>((2 * (i % kSide) + 1) * size.width * 64 / (2 * kSide)),
                            static_cast<int32_t>((2 * (i / kSide) + 1) * size.height * 64 / (2 * kSide)), 1};
    INTSAM_ASSIGN(const Predicted by_point, Predict(embedding, &point, nullptr));
    total_.point.Add({MaskIou(by_point.fp32, by_point.integer), 0, 0, 0, 0});
    BoxPrompt box{INT32_MAX, INT32_MAX, 0, 0};
    for (size_t at = 0; at < by_point.fp32.size(); ++at) {
      if (by_point.fp32[at] == 0) continue;
      const int32_t x = static_cast<int32_t>(at % size.width) * 64, y = static_cast<int32_t>(at / size.width) * 64;
      box = {std::min(box.x0, x), std::min(box.y0, y), std::max(box.x1, x), std::max(box.y1, y)};
    }
    if (box.x0 >= box.x1 || box.y0 >= box.y1) continue;
    INTSAM_ASSIGN(const Predicted by_box, Predict(embedding, nullptr, &box));
    total_.box.Add({MaskIou(by_box.fp32, by_box.integer), 0, 0, 0, 0});
  }
  return Status();
}

const Evaluation& Evaluator::result() { return total_; }

}  // namespace intsam
