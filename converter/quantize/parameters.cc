#include "converter/quantize/parameters.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "converter/quantize/rounding.h"
#include "kernels/numerics/fixed_point.h"
#include "runtime/records/proof.h"

namespace intsam::internal {
namespace {

int64_t Round(double x) { return RoundTo<int64_t>(x); }

double MaxAbs(std::span<const float> values) {
  double max = 0;
  for (const float v : values) max = std::max(max, std::fabs(static_cast<double>(v)));
  return max;
}

int FloorLog2(double x) {
  int exponent;
  std::frexp(x, &exponent);
  return exponent - 1;
}

// M = mult * 2^(exponent - 14), mult in 2^14..2^15-1.
struct Mantissa15 {
  int16_t mult;
  int exponent;
};
Mantissa15 ToMantissa15(double multiplier) {
  int exponent = FloorLog2(multiplier);
  int64_t mult = Round(std::ldexp(multiplier, 14 - exponent));
  if (mult == 1 << 15) mult = 1 << 14, ++exponent;
  return {static_cast<int16_t>(mult), exponent};
}

}  // namespace

Rq32Scalar MakeRq32Scalar(double multiplier) {
  // Below 2^-32 every accumulator would round to at most 1: the caller's unit is far too coarse to matter.
  int exponent;
  const double fraction = std::frexp(std::max(multiplier, std::ldexp(1.0, -31)), &exponent);
  int64_t mult = Round(std::ldexp(fraction, 31));
  int shift = 31 - exponent;
  if (mult == int64_t{1} << 31) mult >>= 1, --shift;
  return {static_cast<int32_t>(mult), static_cast<uint32_t>(std::clamp(shift, 1, 62))};
}

Rq32 MakeRq32(std::span<const double> multipliers, TensorPool& pool) {
  std::vector<int32_t> mult;
  std::vector<uint8_t> shift;
  for (const double multiplier : multipliers) {
    const Rq32Scalar rq = MakeRq32Scalar(multiplier);
    mult.push_back(rq.mult);
    shift.push_back(static_cast<uint8_t>(rq.shift));
  }
  Rq32 rq;
  rq.n = static_cast<uint32_t>(multipliers.size());
  rq.mult = pool.Add(mult);
  rq.shift = pool.Add(shift);
  return rq;
}

Rq16 MakeRq16(std::span<const double> multipliers, const Codes& out, TensorPool& pool) {
  // Coarse accumulators, of few bits, are lifted until at least four bits of code fraction remain.
  int up = 0;
  const double most = *std::max_element(multipliers.begin(), multipliers.end());
  while (up < 12 && std::ldexp(most, -up) > 1.0 / 32) ++up;
  int least = 6 + 1;
  for (const double multiplier : multipliers)
    least = std::min(least, -ToMantissa15(std::max(std::ldexp(multiplier, -up), kLeastMultiplier)).exponent);
  const int k = std::clamp(least - 1, 0, 6);
  std::vector<int16_t> mult;
  std::vector<uint8_t> shift;
  for (const double multiplier : multipliers) {
    const Mantissa15 m = ToMantissa15(std::clamp(std::ldexp(multiplier, -up), kLeastMultiplier, std::ldexp(0.999, -k)));
    mult.push_back(m.mult);
    shift.push_back(static_cast<uint8_t>(std::clamp(-m.exponent - 1 - k, 0, 24)));
  }
  Rq16 rq;
  rq.n = static_cast<uint32_t>(multipliers.size());
  rq.mult = pool.Add(mult);
  rq.shift = pool.Add(shift);
  rq.up = static_cast<uint32_t>(up);
  rq.k = static_cast<uint32_t>(k);
  rq.out = out;
  return rq;
}

RqGelu MakeRqGelu(std::span<const double> multipliers, int unit_bits, const Scale& out, TensorPool& pool) {
  RqGelu rq;
  const double most = std::ldexp(*std::max_element(multipliers.begin(), multipliers.end()), unit_bits);
  while (rq.up < 12 && std::ldexp(most, -static_cast<int>(rq.up)) > 0.999) ++rq.up;
  std::vector<int16_t> mult;
  std::vector<uint8_t> shift;
  for (const double multiplier : multipliers) {
    const Mantissa15 m =
        ToMantissa15(std::clamp(std::ldexp(multiplier, unit_bits - static_cast<int>(rq.up)), kLeastMultiplier, 0.999));
    mult.push_back(m.mult);
    shift.push_back(static_cast<uint8_t>(std::clamp(-m.exponent - 1, 0, 24)));
  }
  rq.n = static_cast<uint32_t>(multipliers.size());
  rq.mult = pool.Add(mult);
  rq.shift = pool.Add(shift);
  rq.unit_bits = static_cast<uint32_t>(unit_bits);
  const double to_code = std::ldexp(1.0, -unit_bits) / out.scale;
  int k = 6;
  while (k > 0 && std::ldexp(to_code, 15 + k) > 32767) --k;
  rq.k = static_cast<uint32_t>(k);
  rq.out_mult = static_cast<int32_t>(std::clamp<int64_t>(Round(std::ldexp(to_code, 15 + k)), 1, 32767));
  rq.out = out.codes;
  return rq;
}

Unit MakeUnit(double unit) {
  int exponent;
  const double fraction = std::frexp(unit, &exponent);
  const int64_t mantissa = std::min<int64_t>(Round(std::ldexp(fraction, 31)), INT32_MAX);
  return {static_cast<int32_t>(mantissa), std::clamp(31 - exponent, 0, 62)};
}

double ToReal(const Unit& unit) { return std::ldexp(static_cast<double>(unit.mantissa), -unit.shift); }

NormNarrow MakeNormNarrow(std::span<const float> gamma, std::span<const float> beta, double eps, double input_unit,
                          const Scale& out, TensorPool& pool) {
  NormNarrow norm;
  norm.channels = static_cast<uint32_t>(gamma.size());
  norm.epsilon = std::max<int64_t>(1, Round(static_cast<double>(gamma.size()) * eps / (input_unit * input_unit)));
  norm.out = out.codes;
  // The largest k <= 20 for which every G fits s16 and 32768 * |G| + |B| fits s32. Without one k becomes 0, which is
  // outside the field's range: such a model is never written.
  for (int k = 20; k >= 0; --k) {
    std::vector<int16_t> gain(gamma.size());
    std::vector<int32_t> bias(gamma.size());
    bool fits = true;
    for (size_t i = 0; i < gamma.size(); ++i) {
      const double g = std::floor(std::ldexp(gamma[i] / (512 * out.scale), k) + 0.5);
      const double b = std::floor(std::ldexp(beta[i] / out.scale + out.codes.zero, k) + 0.5) + std::ldexp(0.5, k);
      fits = fits && std::fabs(g) <= 32767 && 32768 * std::fabs(g) + std::fabs(b) <= INT32_MAX;
      gain[i] = RoundTo<int16_t>(g), bias[i] = RoundTo<int32_t>(b);
    }
    if (!fits && k > 0) continue;
    norm.k = static_cast<uint32_t>(k);
    norm.gain = pool.Add(gain);
    norm.bias = pool.Add(bias);
    break;
  }
  return norm;
}

NormWide MakeNormWide(std::span<const float> gamma, std::span<const float> beta, double eps, double input_unit,
                      double output_unit, TensorPool& pool) {
  NormWide norm;
  norm.channels = static_cast<uint32_t>(gamma.size());
  norm.epsilon = std::max<int64_t>(1, Round(static_cast<double>(gamma.size()) * eps / (input_unit * input_unit)));
  const double largest = std::max(MaxAbs(gamma) / output_unit, 1e-3);
  // sg = shift + 16 in 1..46; G below 2^23.
  const int shift = std::clamp(21 - FloorLog2(largest), -15, 30);
  std::vector<int32_t> gain;
  std::vector<int64_t> bias;
  for (size_t i = 0; i < gamma.size(); ++i) {
    gain.push_back(RoundTo<int32_t>(std::ldexp(gamma[i] / output_unit, shift)));
    bias.push_back(Round(std::ldexp(beta[i] / output_unit, shift + 16)));
  }
  norm.gain = pool.Add(gain);
  norm.bias = pool.Add(bias);
  norm.shift = static_cast<uint32_t>(shift + 16);
  return norm;
}

Softmax MakeSoftmax(const SoftmaxCoding& coding, double logit_unit, const Scale& values, const Scale& out,
                    uint32_t keys) {
  Softmax softmax;
  double mult = std::ldexp(logit_unit * 1.4426950408889634, 27);
  int shift = 0;
  while (mult >= 65535.5 && shift > -15) mult /= 2, --shift;
  while (mult < 32768 && shift < 15) mult *= 2, ++shift;
  softmax.shift = shift;
  softmax.mult = static_cast<uint32_t>(std::clamp<int64_t>(Round(mult), 32768, 65535));
  softmax.out = out.codes;
  if (coding.kind == SoftmaxCoding::kExact) {
    softmax.mix = MakeRq32Scalar(values.scale / out.scale);
    return softmax;
  }

  softmax.bits = static_cast<uint32_t>(coding.bits);
  double unit;  // of the integer probability
  if (coding.kind == SoftmaxCoding::kAgq) {
    const double scale = std::clamp(coding.scale, std::exp2(-32767.0 / 2048), 4.0);
    softmax.variant = Softmax::kAgq;
    softmax.tau_shift = static_cast<uint32_t>(std::countr_zero(static_cast<uint32_t>(coding.tau)));
    softmax.log2_scale = RoundTo<int32_t>(2048 * std::log2(scale));
    // The levels are those of the exact scale; only the thresholds between them use the rounded logarithm.
    unit = scale / 32767;
  } else {
    softmax.variant = Softmax::kU8;
    unit = std::clamp(coding.scale, std::exp2(-31.0), 512.0);
    int exponent;
    const double fraction = std::frexp(1 / unit, &exponent);
    softmax.step_mult = static_cast<uint32_t>(std::min<int64_t>(Round(std::ldexp(fraction, 16)), 65535));
    softmax.step_shift = 16 - exponent;
  }
  const int64_t bound = MixBound(softmax, values.codes, keys);
  while (RoundingShiftRight(bound, static_cast<int>(softmax.pre_shift)) > INT32_MAX) ++softmax.pre_shift;
  softmax.mix = MakeRq32Scalar(std::ldexp(unit * values.scale / out.scale, static_cast<int>(softmax.pre_shift)));
  return softmax;
}

RelPos MakeRelPos(std::span<const float> table, uint32_t side, uint32_t head_dim, double key_scale, TensorPool& pool) {
  RelPos rel;
  rel.side = side, rel.head_dim = head_dim;
  const double scale = std::max(MaxAbs(table) / 32767, 1e-12);
  const uint32_t rows = 2 * side - 1;
  std::vector<int16_t> reversed;
  for (uint32_t row = 0; row < rows; ++row) {
    for (uint32_t d = 0; d < head_dim; ++d) {
      reversed.push_back(RoundTo<int16_t>(table[size_t{rows - 1 - row} * head_dim + d] / scale));
    }
  }
  rel.table = pool.Add(reversed);
  rel.rq = MakeRq32Scalar(scale * std::sqrt(static_cast<double>(head_dim)) / key_scale);
  return rel;
}

int UnitBits(double max, double limit) {
  int bits = 12;
  while (bits > 9 && std::ldexp(max, bits) > limit) --bits;
  return bits;
}

std::vector<int16_t> ToS16Values(std::span<const float> values, double unit) {
  std::vector<int16_t> out;
  for (const float v : values) out.push_back(static_cast<int16_t>(std::clamp<int64_t>(Round(v / unit), -32767, 32767)));
  return out;
}

}  // namespace intsam::internal
