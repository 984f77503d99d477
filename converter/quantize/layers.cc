#include "converter/quantize/layers.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include "converter/encoder/layers.h"
#include "converter/quantize/pack_weights.h"
#include "converter/quantize/rounding.h"

namespace intsam::internal {

void QuantizeContext::Missing(const std::string& what) {
  if (status.ok()) status = Error(Code::kInternal, "%s: nothing was decided for it", what.c_str());
}

double QuantizeContext::MaxAbs(const std::string& site) {
  if (Status missing = statistics.Require(site); !missing.ok()) {
    if (status.ok()) status = std::move(missing);
    return 1;
  }
  return std::max(statistics.at(site).max_abs(), 1e-6);
}

Scale QuantizeContext::Codes(const std::string& site) {
  const auto found = plan.activations.find(site);
  if (found == plan.activations.end()) return Missing(site), Scale{};
  const ActivationScale& a = found->second;
  return {a.scale, {static_cast<uint32_t>(a.zero), static_cast<uint32_t>(a.least), (1u << a.bits) - 1}};
}

Scale QuantizeContext::Signed(const std::string& site) {
  const Scale scale = Attended(site);
  if (scale.codes.zero == 128 && scale.codes.lo >= 1) return scale;
  if (status.ok()) status = Error(Code::kInternal, "%s: its codes are not centred", site.c_str());
  return scale;
}

Scale QuantizeContext::Attended(const std::string& site) {
  const Scale scale = Codes(site);
  const uint32_t below = scale.codes.zero - scale.codes.lo, above = scale.codes.hi - scale.codes.zero;
  if (below > 128 || above > 127) return scale;
  return {scale.scale, {128, 128 - below, 128 + above}};
}

const SoftmaxCoding& QuantizeContext::Coding(const std::string& attention) {
  static const SoftmaxCoding kNone;
  const auto found = plan.softmax.find(attention);
  if (found == plan.softmax.end()) return Missing(attention + ".softmax"), kNone;
  return found->second;
}

double QuantizeContext::S16Unit(const std::string& site, double head_room) { return head_room * MaxAbs(site) / 32767; }
double QuantizeContext::R24Unit(const std::string& site) { return 4 * MaxAbs(site) / (1 << 23); }

namespace {

// The least scale of a channel whose bias fits an accumulator and whose outputs are not so fine that the requantization
// shift leaves its range.
double LeastScale(double bias, const LayerUse& use) {
  const double for_bias = std::fabs(bias) / (use.input_scale * (1 << 28));
  const double for_shift = use.least_output * kLeastMultiplier * 2 / use.input_scale;
  return std::max({for_bias, for_shift, 1e-12});
}

// Rounds a row's values to nearest on the grid of another scale, around the middle code.
void Regrid(WeightCodes& w, size_t row, size_t in, double scale) {
  const int middle = 1 << (w.bits - 1), most = (1 << w.bits) - 1;
  for (size_t k = 0; k < in; ++k) {
    uint8_t& code = w.codes[row * in + k];
    const double value = (int{code} - int{w.zero[row]}) * static_cast<double>(w.scale[row]);
    code =
        static_cast<uint8_t>(std::clamp<double>(std::floor(value / scale + 0.5) + middle, w.bits == 8 ? 1 : 0, most));
  }
  w.zero[row] = static_cast<uint8_t>(middle);
  w.scale[row] = static_cast<float>(scale);
}

// Moves rows whose scale is too fine for the runtime to a grid that it can hold.
void FitRows(QuantizeContext& q, const std::string& name, const LayerUse& use, std::span<const float> bias, size_t in,
             WeightCodes& w) {
  size_t fine = 0;
  for (size_t row = 0; row < w.scale.size(); ++row) {
    const double scale = LeastScale(bias.empty() ? 0 : bias[row], use);
    if (scale > w.scale[row]) Regrid(w, row, in, scale), ++fine;
  }
  if (fine > 0)
    q.notes.push_back(name + ".weight: " + std::to_string(fine) +
                      " channels are all but dead: rounded to coarser steps");
}

// Bias in accumulator units; returns the units.
template <class Layer>
std::vector<double> SetBias(QuantizeContext& q, std::span<const float> bias, std::span<const float> scale,
                            double input_scale, Layer& linear) {
  std::vector<double> units(scale.size());
  std::vector<int32_t> codes(scale.size());
  for (size_t n = 0; n < scale.size(); ++n) {
    units[n] = scale[n] * input_scale;
    codes[n] = bias.empty() ? 0 : RoundTo<int32_t>(bias[n] / units[n]);
  }
  linear.bias = q.pool.Add(codes);
  return units;
}

// Takes a layer's codes out of the plan, with its bias and fitted to what the runtime can hold. Nothing, and a note of
// it in the status, where the plan has none of this size.
std::optional<WeightCodes> TakePlanned(QuantizeContext& q, const std::string& name, const LayerUse& use, size_t in,
                                       size_t out) {
  const auto found = q.plan.weights.find(name);
  if (found == q.plan.weights.end() || found->second.codes.size() != in * out) {
    q.Missing(name + ".weight");
    return std::nullopt;
  }
  WeightCodes w = std::move(found->second);
  q.plan.weights.erase(found);
  if (w.bias.empty() && q.float_model.tensors.contains(name + ".bias")) w.bias = q.Weight(name + ".bias");
  FitRows(q, name, use, w.bias, in, w);
  return w;
}

std::vector<double> Planned(QuantizeContext& q, const std::string& name, const LayerUse& use, uint32_t taps,
                            Linear& linear) {
  const size_t in = linear.in;
  std::optional<WeightCodes> w = TakePlanned(q, name, use, in, linear.out);
  if (!w) return std::vector<double>(linear.out, 1);
  if (taps > 1) {
    const size_t channels = in / taps;
    std::vector<uint8_t> moved(w->codes.size());
    for (size_t i = 0; i < moved.size(); ++i) {
      const size_t row = i / in, channel = i / taps % channels, tap = i % taps;
      moved[row * in + tap * channels + channel] = w->codes[i];
    }
    w->codes = std::move(moved);
  }
  SetWeights(linear, w->codes, w->zero, w->bits, q.pool);
  return SetBias(q, w->bias, w->scale, use.input_scale, linear);
}

}  // namespace

std::vector<double> PlannedLinear(QuantizeContext& q, const std::string& name, const LayerUse& use, Linear& linear) {
  return Planned(q, name, use, 1, linear);
}

std::vector<double> PlannedConvolution(QuantizeContext& q, const std::string& name, const LayerUse& use, uint32_t taps,
                                       Linear& linear) {
  return Planned(q, name, use, taps, linear);
}

std::vector<double> PlannedDepthwise(QuantizeContext& q, const std::string& name, const LayerUse& use,
                                     Depthwise& conv) {
  constexpr size_t kTaps = 9;
  const size_t channels = conv.channels;
  const std::optional<WeightCodes> w = TakePlanned(q, name, use, kTaps, channels);
  if (!w) return std::vector<double>(channels, 1);
  std::vector<int8_t> codes(w->codes.size());
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i % kTaps * channels + i / kTaps] = static_cast<int8_t>(w->codes[i] - w->zero[i / kTaps]);
  conv.weight = q.pool.Add(codes);
  return SetBias(q, w->bias, w->scale, use.input_scale, conv);
}

std::vector<double> WideLinear(QuantizeContext& q, std::span<const float> weight, std::span<const float> bias,
                               double input_scale, Linear& linear) {
  const uint32_t in = linear.in, out = linear.out;
  std::vector<uint8_t> codes(size_t{out} * in), zero(out, 128);
  std::vector<float> scales(out);
  for (uint32_t n = 0; n < out; ++n) {
    double max = 0;
    for (uint32_t k = 0; k < in; ++k) max = std::max(max, std::fabs(static_cast<double>(weight[size_t{n} * in + k])));
    scales[n] = static_cast<float>(std::max(max / 127, LeastScale(bias.empty() ? 0 : bias[n], {input_scale, 0})));
    for (uint32_t k = 0; k < in; ++k) {
      const double code = std::floor(weight[size_t{n} * in + k] / double{scales[n]} + 0.5);
      codes[size_t{n} * in + k] = static_cast<uint8_t>(std::clamp(code, -127.0, 127.0) + 128);
    }
  }
  SetWeights(linear, codes, zero, 8, q.pool);
  return SetBias(q, bias, scales, input_scale, linear);
}

namespace {

// Codes of at most `most` of the rows of `weight`, one for each bias; weight k of row n goes to place(n, k).
template <class T, class Layer, class Place>
std::vector<double> CodeRows(QuantizeContext& q, std::span<const float> weight, std::span<const float> bias,
                             const LayerUse& use, double most, const Place& place, Layer& layer) {
  const size_t rows = bias.size(), length = weight.size() / rows;
  std::vector<T> codes(weight.size());
  std::vector<int32_t> bias_codes(rows);
  std::vector<double> units(rows);
  for (size_t n = 0; n < rows; ++n) {
    const std::span<const float> row = weight.subspan(n * length, length);
    double max = 0;
    for (const float w : row) max = std::max(max, std::fabs(double{w}));
    const double scale = std::max(max / most, LeastScale(bias[n], use));
    for (size_t k = 0; k < length; ++k) codes[place(n, k)] = RoundTo<T>(row[k] / scale);
    units[n] = scale * use.input_scale;
    bias_codes[n] = RoundTo<int32_t>(bias[n] / units[n]);
  }
  layer.weight = q.pool.Add(codes);
  layer.bias = q.pool.Add(bias_codes);
  return units;
}

}  // namespace

std::vector<double> QuantizeLinear12(QuantizeContext& context, std::span<const float> weight,
                                     std::span<const float> bias, double input_scale, Linear12& linear) {
  const auto place = [&](size_t n, size_t k) { return n * linear.in + k; };
  return CodeRows<int16_t>(context, weight, bias, {input_scale, 0}, 2047, place, linear);
}

std::vector<double> QuantizeDepthwise12(QuantizeContext& context, std::span<const float> weight,
                                        std::span<const float> bias, double input_scale, Depthwise12& conv) {
  const auto place = [&](size_t channel, size_t tap) { return tap * conv.channels + channel; };
  return CodeRows<int16_t>(context, weight, bias, {input_scale, 0}, 2047, place, conv);
}

double EncoderQuantization::WideUnit(const std::string& map) const { return q.R24Unit(map); }
int EncoderQuantization::NarrowBits(const std::string& map) const { return UnitBits(1.25 * q.MaxAbs(map), 32767); }
double EncoderQuantization::NarrowUnit(const std::string& map) const { return std::ldexp(1.0, -NarrowBits(map)); }

std::vector<double> Multipliers(std::span<const double> units, double output) {
  std::vector<double> multipliers;
  for (const double unit : units) multipliers.push_back(unit / output);
  return multipliers;
}

Result<std::unique_ptr<QuantizedModel>> QuantizeModel(const FloatModel& model, const Statistics& statistics,
                                                      QuantizationPlan& plan) {
  auto quantized = std::make_unique<QuantizedModel>();
  quantized->model = IntegerModel(model.config);
  QuantizeContext context{model, statistics, plan, quantized->pool, quantized->notes, {}};
  // Streams and logits: twice the calibrated maximum (docs/numerics.md 11).
  const double token_unit = context.S16Unit("mask_decoder.tokens", 2);
  const double key_unit = context.S16Unit("mask_decoder.keys", 2);
  const double logit_unit = context.S16Unit("mask_decoder.masks", 2);
  const EncoderQuantization encoder{context, key_unit};
  std::vector<EncoderLayer>& layers = quantized->model.image_encoder.layers;
  const std::vector<LayerPlace> places = PlacesOf(model.config, layers);
  quantized->model.image_encoder.residual_unit = MakeUnit(encoder.WideUnit(places.back().input));
  for (size_t i = 0; i < layers.size(); ++i) {
    std::visit([&](auto& record) { Quantize(encoder, places[i], record); }, layers[i].kind);
  }
  QuantizePromptEncoder(context, quantized->model.prompt_encoder, token_unit, key_unit, logit_unit);
  QuantizeMaskDecoder(context, quantized->model.mask_decoder, token_unit, key_unit, logit_unit);
  INTSAM_TRY(context.status);
  return quantized;
}

}  // namespace intsam::internal
