#include "converter/quantize/layers.h"

#include <algorithm>
#include <cmath>

namespace intsam {

void QuantizeContext::Range(const std::string& site, bool percentile, double& lo, double& hi) {
  lo = 0, hi = 1;
  if (Status missing = statistics.Require(site); !missing.ok()) {
    if (status.ok()) status = missing;
    return;
  }
  statistics.at(site).Percentile(percentile ? options.percentile : 1.0, lo, hi);
}

double QuantizeContext::MaxAbs(const std::string& site) {
  double lo, hi;
  Range(site, false, lo, hi);
  return std::max({-lo, hi, 1e-6});
}

Scale QuantizeContext::Asymmetric(const std::string& site) {
  double lo, hi;
  Range(site, true, lo, hi);
  return AsymmetricScale(lo, hi, 8);
}

Scale QuantizeContext::Symmetric(const std::string& site) {
  double lo, hi;
  Range(site, true, lo, hi);
  return SymmetricScale(std::max(-lo, hi), 8);
}

double QuantizeContext::S16Unit(const std::string& site, double head_room) { return head_room * MaxAbs(site) / 32767; }
double QuantizeContext::R24Unit(const std::string& site) { return 4 * MaxAbs(site) / (1 << 23); }

std::vector<int8_t> PackPanels(const std::vector<int8_t>& rows, uint32_t out, uint32_t in) {
  std::vector<int8_t> panels(size_t{(out + 15) / 16} * 16 * in);
  for (uint32_t n = 0; n < out; ++n) {
    for (uint32_t k = 0; k < in; ++k) {
      panels[(size_t{n / 16} * (in / 4) + k / 4) * 64 + n % 16 * 4 + k % 4] = rows[size_t{n} * in + k];
    }
  }
  return panels;
}

namespace {

// Scale of one output channel so that its weights reach +-limit, its bias fits an accumulator and its outputs are not
// so fine that the requantization shift leaves its range.
double ChannelScale(std::span<const float> row, double bias, double input_scale, double least_output, int limit) {
  double max = 0;
  for (const float w : row) max = std::max(max, std::fabs(static_cast<double>(w)));
  const double for_bias = std::fabs(bias) / (input_scale * (1 << 28));
  const double for_shift = least_output * kLeastMultiplier * 2 / input_scale;
  return std::max({max / limit, for_bias, for_shift, 1e-12});
}

}  // namespace

std::vector<double> QuantizeLinear(QuantizeContext& context, std::span<const float> weight, std::span<const float> bias,
                                   double input_scale, double least_output, Linear& linear) {
  const uint32_t in = linear.in, out = linear.out;
  std::vector<int8_t> codes(size_t{out} * in);
  std::vector<int32_t> bias_codes(out);
  std::vector<double> units(out);
  for (uint32_t n = 0; n < out; ++n) {
    const std::span<const float> row = weight.subspan(size_t{n} * in, in);
    const double b = bias.empty() ? 0 : bias[n];
    const double scale = ChannelScale(row, b, input_scale, least_output, 127);
    for (uint32_t k = 0; k < in; ++k) {
      codes[size_t{n} * in + k] = static_cast<int8_t>(std::clamp(std::floor(row[k] / scale + 0.5), -127.0, 127.0));
    }
    units[n] = scale * input_scale;
    bias_codes[n] = static_cast<int32_t>(std::floor(b / units[n] + 0.5));
  }
  linear.weight = context.pool.Add(PackPanels(codes, out, in));
  linear.bias = context.pool.Add(bias_codes);
  return units;
}

std::vector<double> QuantizeLinear12(QuantizeContext& context, std::span<const float> weight,
                                     std::span<const float> bias, double input_scale, Linear12& linear) {
  std::vector<int16_t> codes(weight.size());
  std::vector<int32_t> bias_codes(linear.out);
  std::vector<double> units(linear.out);
  for (uint32_t n = 0; n < linear.out; ++n) {
    const std::span<const float> row = weight.subspan(size_t{n} * linear.in, linear.in);
    const double scale = ChannelScale(row, bias[n], input_scale, 0, 2047);
    for (uint32_t k = 0; k < linear.in; ++k)
      codes[size_t{n} * linear.in + k] = static_cast<int16_t>(std::floor(row[k] / scale + 0.5));
    units[n] = scale * input_scale;
    bias_codes[n] = static_cast<int32_t>(std::floor(bias[n] / units[n] + 0.5));
  }
  linear.weight = context.pool.Add(codes);
  linear.bias = context.pool.Add(bias_codes);
  return units;
}

std::vector<double> Multipliers(const std::vector<double>& units, double output) {
  std::vector<double> multipliers;
  for (const double unit : units) multipliers.push_back(unit / output);
  return multipliers;
}

Result<std::unique_ptr<QuantizedModel>> QuantizeModel(const FloatModel& model, const Statistics& statistics,
                                                      const QuantizeOptions& options) {
  auto quantized = std::make_unique<QuantizedModel>();
  quantized->model = IntegerModel(model.config);
  QuantizeContext context{model, statistics, options, quantized->pool, {}};
  // Streams and logits: twice the calibrated maximum (docs/numerics.md 11).
  const double token_unit = context.S16Unit("mask_decoder.tokens", 2);
  const double key_unit = context.S16Unit("mask_decoder.keys", 2);
  const double logit_unit = context.S16Unit("mask_decoder.masks", 2);
  QuantizeImageEncoder(context, quantized->model.image_encoder, key_unit);
  QuantizePromptEncoder(context, quantized->model.prompt_encoder, token_unit, key_unit, logit_unit);
  QuantizeMaskDecoder(context, quantized->model.mask_decoder, token_unit, key_unit, logit_unit);
  INTSAM_TRY(context.status);
  return quantized;
}

}  // namespace intsam
