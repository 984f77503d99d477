#include "runtime/records/proof.h"

#include <algorithm>
#include <cinttypes>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "kernels/numerics/fixed_point.h"
#include "runtime/records/weight_sums.h"

namespace intsam::internal {
namespace {

constexpr int64_t kMaxS32 = INT32_MAX;

}  // namespace

std::vector<int64_t> Proof::OverCodes(const char* site, const WeightSums& sums, View<int32_t> biases,
                                      View<int16_t> shift, uint32_t in, const Codes& codes) {
  const int64_t zero = codes.zero, reach = Reach(codes);
  std::vector<int64_t> partial, whole;
  for (size_t c = 0; c < biases.size(); ++c) {
    const int64_t magnitude = sums.magnitude[c], bias = biases[c], sum = sums.sum[c];
    const int64_t unsigned_form = 255 * magnitude + Abs(bias - zero * sum);
    const int64_t signed_form = 128 * magnitude + Abs(bias + (128 - zero) * sum);
    const int64_t shifts = shift.empty() ? 0 : Abs(shift[c]) * in;  // times the input, which is added up apart
    partial.push_back(std::max(unsigned_form, signed_form) + 255 * shifts);
    whole.push_back(reach * (magnitude + shifts) + Abs(bias));
  }
  Accumulators(site, partial);
  return whole;
}

std::vector<int64_t> Proof::OverS16(const char* site, const WeightSums& sums, View<int32_t> biases) {
  std::vector<int64_t> bounds;
  for (size_t c = 0; c < biases.size(); ++c) bounds.push_back(32767 * int64_t{sums.magnitude[c]} + Abs(biases[c]));
  Accumulators(site, bounds);
  return bounds;
}

std::vector<int64_t> Proof::CodesLayer(const char* site, Linear& linear, const Codes& codes) {
  WeightSums sums = SumWeights(linear);
  std::vector<int64_t> bounds = OverCodes(site, sums, linear.bias, linear.shift, linear.in, codes);
  linear.column_sums = std::move(sums.sum);
  return bounds;
}

std::vector<int64_t> Proof::CodesLayer(const char* site, Depthwise& conv, const Codes& codes) {
  WeightSums sums = SumTaps(conv.weight, conv.channels);
  std::vector<int64_t> bounds = OverCodes(site, sums, conv.bias, {}, 9, codes);
  conv.column_sums = std::move(sums.sum);
  return bounds;
}

std::vector<int64_t> Proof::S16Layer(const char* site, Linear& linear) {
  if (linear.shifted) Fail(site, 0, "weights over s16 values have no shift, but shifted is", linear.shifted);
  WeightSums sums = SumWeights(linear);
  std::vector<int64_t> bounds = OverS16(site, sums, linear.bias);
  linear.column_sums = std::move(sums.sum);
  return bounds;
}

std::vector<int64_t> Proof::S16Layer(const char* site, const Linear12& linear) {
  WeightSums sums;
  for (uint32_t c = 0; c < linear.out; ++c) {
    const auto row = linear.weight.subspan(size_t{c} * linear.in, linear.in);
    sums.sum.push_back(std::accumulate(row.begin(), row.end(), 0));
    sums.magnitude.push_back(
        std::accumulate(row.begin(), row.end(), 0, [](int sum, int w) { return sum + std::abs(w); }));
  }
  return OverS16(site, sums, linear.bias);
}

std::vector<int64_t> Proof::S16Layer(const char* site, const Depthwise12& conv) {
  return OverS16(site, SumTaps(conv.weight, conv.channels), conv.bias);
}

std::vector<int64_t> Proof::StreamLayer(const char* site, Linear& linear, const StreamInput& input) {
  return input.as_values() ? S16Layer(site, linear) : CodesLayer(site, linear, input.codes.out);
}

void Proof::Accumulators(const char* site, const std::vector<int64_t>& bounds) {
  const auto tightest = std::max_element(bounds.begin(), bounds.end());
  const auto channel = static_cast<uint32_t>(tightest - bounds.begin());
  if (*tightest > kAccumulatorMax) Fail(site, channel, "accumulator can reach", *tightest);
  if (report_ != nullptr) report_->push_back({PathOf(site), channel, *tightest});
}

void Proof::Lifted(const char* site, const std::vector<int64_t>& bounds, uint32_t up) {
  const auto tightest = std::max_element(bounds.begin(), bounds.end());
  if (*tightest << up > kAccumulatorMax)
    Fail(site, static_cast<uint32_t>(tightest - bounds.begin()), "lifted accumulator can reach", *tightest << up);
}

void Proof::Requantized(const char* site, const Rq32& rq, const std::vector<int64_t>& bounds) {
  for (uint32_t c = 0; c < rq.n; ++c) Product(site, c, bounds[c], rq.mult[c], rq.shift[c]);
}

void Proof::Requantized(const char* site, const Rq32Scalar& rq, int64_t bound) {
  Product(site, 0, bound, rq.mult, rq.shift);
}

void Proof::CodesRange(const char* site, const Codes& codes) {
  if (codes.lo > codes.zero || codes.zero > codes.hi) Fail(site, 0, "zero point is outside lo..hi", codes.zero);
}

void Proof::SignedCodes(const char* site, const Codes& codes) {
  CodesRange(site, codes);
  if (codes.zero != 128 || codes.lo < 1) Fail(site, 0, "is a signed site, but the zero point is", codes.zero);
}

void Proof::Narrow(const char* site, const NormNarrow& norm) {
  CodesRange(site, norm.out);
  for (uint32_t c = 0; c < norm.channels; ++c) {
    if (32768 * Abs(norm.gain[c]) + Abs(norm.bias[c]) > kMaxS32)
      Fail(site, c, "gain and bias leave s32; bias", norm.bias[c]);
  }
}

void Proof::Quantize(const char* site, const QuantizeSite& quantize, int64_t bound) {
  CodesRange(site, quantize.out);
  Requantized(site, quantize.rq, bound);
}

void Proof::Stream(const char* site, const StreamInput& input) {
  if (!input.as_values()) Quantize(site, input.codes, 2 * 32767);
}

void Proof::Attention(const char* site, const Softmax& softmax, const Codes& values, uint32_t keys) {
  const Softmax unused;
  const bool e16 = softmax.variant == Softmax::kE16, u8 = softmax.variant == Softmax::kU8,
             agq = softmax.variant == Softmax::kAgq;
  const struct {
    bool used;
    int64_t value, expected;
    const char* what;
  } fields[] = {{!e16, softmax.bits, unused.bits, "E16 has no bits, but they are"},
                {!e16, softmax.pre_shift, unused.pre_shift, "E16 has no pre_shift, but it is"},
                {agq, softmax.tau_shift, unused.tau_shift, "only AGQ has a tau_shift, but it is"},
                {agq, softmax.log2_scale, unused.log2_scale, "only AGQ has a log2_scale, but it is"},
                {u8, softmax.step_mult, unused.step_mult, "only U8 has a step_mult, but it is"},
                {u8, softmax.step_shift, unused.step_shift, "only U8 has a step_shift, but it is"}};
  for (const auto& field : fields) {
    if (!field.used && field.value != field.expected) Fail(site, 0, field.what, field.value);
  }
  // E16 sums are bounded by 255 * S, which the division takes care of (docs/numerics.md 6.4).
  const int64_t bound = MixBound(softmax, values, keys);
  if (!e16 && RoundingShiftRight(bound, static_cast<int>(softmax.pre_shift)) > kMaxS32)
    Fail(site, 0, "pre_shift is too small for sums that can reach", bound);
}

void Proof::Fail(const char* site, uint32_t channel, const char* what, int64_t value) {
  if (!status.ok()) return;
  status = Error(Code::kDamaged, "%s: channel %u: %s %" PRId64, PathOf(site).c_str(), channel, what, value);
}

std::string Proof::PathOf(const char* site) const { return *site == 0 ? prefix : prefix + "." + site; }

// |RQ32(acc)| < 2^31 - 1, so that the low half of the 64-bit result is the result; 256 leaves room for a zero point.
void Proof::Product(const char* site, uint32_t channel, int64_t bound, int32_t mult, uint32_t shift) {
  const int64_t limit = std::min(bound, kMaxS32);
  if (((limit * mult) >> shift) + 256 >= kMaxS32) Fail(site, channel, "requantized value can leave s32; shift", shift);
}

}  // namespace intsam::internal
