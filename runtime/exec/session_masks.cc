// Results of a session: scores, logits, and masks of every kind.
#include <algorithm>

#include "kernels/numerics/requantize.h"
#include "runtime/exec/session.h"
#include "runtime/image/masks.h"

namespace intsam::internal {
namespace {

// The code nearest to a logit of 10.
int16_t Ten(const Unit& unit) {
  const uint64_t mantissa = static_cast<uint64_t>(unit.mantissa);  // >= 2^30
  if (unit.shift > 45) return INT16_MAX;                           // 10 * 2^shift / mantissa is more than that
  return static_cast<int16_t>(std::min<uint64_t>(((uint64_t{10} << unit.shift) + mantissa / 2) / mantissa, INT16_MAX));
}

// offset / 2^16 logits in units of the codes / 4096, to the nearest: offset * 2^(shift - 4) / mantissa, by long
// division since the product does not fit 64 bits. What is beyond every interpolated logit stays there: at most 2^30.
int64_t ThresholdUnits(int64_t offset, const Unit& unit) {
  constexpr int64_t kBeyond = int64_t{1} << 30;
  const int64_t divisor = int64_t{unit.mantissa} << 4, magnitude = offset < 0 ? -offset : offset;
  int64_t quotient = magnitude / divisor, rest = magnitude % divisor;
  for (int bit = 0; bit <= unit.shift && quotient < 2 * kBeyond; ++bit) {  // one more for the rounding
    rest *= 2;
    quotient = 2 * quotient + (rest >= divisor);
    if (rest >= divisor) rest -= divisor;
  }
  const int64_t rounded = std::min((quotient + 1) / 2, kBeyond);
  return offset < 0 ? -rounded : rounded;
}

}  // namespace

const int16_t* Session::LowRes(size_t result, uint32_t mask) const {
  return low_res_.data() + (result * config().num_masks() + mask) * config().low_res_values();
}

int32_t Session::IouQ15(size_t result, uint32_t mask) const {
  const Rq32Scalar& rq = model_.weights().mask_decoder.iou_q15;
  return static_cast<int32_t>(Requantize32(Iou(result)[mask], rq.mult, static_cast<int>(rq.shift)));
}

uint32_t Session::BestMask(size_t result) const {
  const int16_t* iou = Iou(result);
  return static_cast<uint32_t>(std::max_element(iou + 1, iou + config().num_masks()) - iou);
}

Status Session::CheckMask(size_t result, uint32_t mask) const {
  if (results_ == 0) return Error(Code::kUsage, "mask: nothing has been predicted");
  if (result >= results_) return Error(Code::kUsage, "result: index %zu is not in 0..%zu", result, results_ - 1);
  if (mask >= config().num_masks())
    return Error(Code::kUsage, "mask: index %u is not in 0..%u", mask, config().num_masks() - 1);
  return Status();
}

int32_t Session::Threshold(int64_t offset_q16) const {
  const IntegerModel& model = model_.weights();
  return static_cast<int32_t>(model.mask_decoder.mask_threshold +
                              ThresholdUnits(offset_q16, model.mask_decoder.logit_unit));
}

Status Session::Mask(size_t result, uint32_t mask, uint8_t* out, size_t stride, bool bits) const {
  INTSAM_TRY(CheckMask(result, mask));
  if (out == nullptr) return Error(Code::kUsage, "out: is NULL");
  const size_t row = bits ? (frame_.original.width + 7) / 8 : frame_.original.width;
  if (stride < row) return Error(Code::kUsage, "out: stride %zu is shorter than a row of %zu bytes", stride, row);
  const MaskSampling sampling(frame_.resized, frame_.original, MaskView::Whole(frame_.original));
  return DrawMask(MaskScan(LowRes(result, mask), config().low_res(), sampling, Threshold(0)),
                  bits ? MaskFormat::kBits : MaskFormat::kBytes, out, stride, *parallel_);
}

Status Session::MaskAsRuns(size_t result, uint32_t mask, const MaskView& view, int32_t threshold_offset,
                           MaskRuns& runs) const {
  INTSAM_TRY(CheckMask(result, mask));
  const MaskSampling sampling(frame_.resized, frame_.original, view);
  const MaskScan scan(LowRes(result, mask), config().low_res(), sampling, Threshold(threshold_offset));
  INTSAM_ASSIGN(runs, CollectRuns(scan, *parallel_));
  return Status();
}

Status Session::Stability(size_t result, uint32_t mask, const MaskView& view, int32_t threshold_offset, int32_t offset,
                          int32_t& stability) const {
  INTSAM_TRY(CheckMask(result, mask));
  const MaskSampling sampling(frame_.resized, frame_.original, view);
  const auto count = [&](int64_t shift) {
    return CountPixels(
        MaskScan(LowRes(result, mask), config().low_res(), sampling, Threshold(int64_t{threshold_offset} + shift)));
  };
  stability = StabilityQ16(count(offset), count(-int64_t{offset}));
  return Status();
}

Status Session::MaskPrompt(const uint8_t* mask, size_t stride, int16_t* logits) const {
  if (!has_image_) return Error(Code::kUsage, "mask: no image has been set");
  if (mask == nullptr) return Error(Code::kUsage, "mask: is NULL");
  if (logits == nullptr) return Error(Code::kUsage, "logits: is NULL");
  if (stride < frame_.original.width) {
    return Error(Code::kUsage, "mask: stride %zu is shorter than a row of %u bytes", stride, frame_.original.width);
  }
  const Unit& unit = model_.weights().mask_decoder.logit_unit;
  MaskPromptLogits(mask, stride, frame_.original, frame_.resized, config().image_size, config().low_res(), Ten(unit),
                   logits);
  return Status();
}

}  // namespace intsam::internal
