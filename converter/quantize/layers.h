// Building blocks of quantize.cc: ranges of sites, weights to panels, layers of each kind.
#ifndef INTSAM_CONVERTER_QUANTIZE_LAYERS_H_
#define INTSAM_CONVERTER_QUANTIZE_LAYERS_H_

#include <span>
#include <string>
#include <vector>

#include "converter/quantize/quantize.h"

namespace intsam {

// What the builders of all parts share.
struct QuantizeContext {
  const FloatModel& float_model;
  const Statistics& statistics;
  const QuantizeOptions& options;
  TensorPool& pool;
  Status status;  // the first missing site

  const std::vector<float>& Weight(const std::string& key) const { return float_model.at(key); }
  // Extremes of a site; {0, 1} after recording an error when it was never observed.
  void Range(const std::string& site, bool percentile, double& lo, double& hi);
  double MaxAbs(const std::string& site);
  Scale Asymmetric(const std::string& site);
  Scale Symmetric(const std::string& site);
  // Unit of an s16 value with this head room over the calibrated maximum, and of an R24 value (head room 4).
  double S16Unit(const std::string& site, double head_room);
  double R24Unit(const std::string& site);
};

// Weights [out][in] row-major to panels. Row `i` holds output channel i.
std::vector<int8_t> PackPanels(const std::vector<int8_t>& rows, uint32_t out, uint32_t in);

// A layer with s8 weights and one scale per output channel: fills weight and bias of `linear` and returns the real
// value of one accumulator unit per channel. `bias` may be empty. input_scale: real value of one input unit.
// least_output: real size of the smallest output step that matters; keeps dead channels' scales in range.
std::vector<double> QuantizeLinear(QuantizeContext& context, std::span<const float> weight, std::span<const float> bias,
                                   double input_scale, double least_output, Linear& linear);
std::vector<double> QuantizeLinear12(QuantizeContext& context, std::span<const float> weight,
                                     std::span<const float> bias, double input_scale, Linear12& linear);

// units[c] / output for every channel.
std::vector<double> Multipliers(const std::vector<double>& units, double output);

void QuantizeImageEncoder(QuantizeContext& context, ImageEncoder& encoder, double key_unit);
void QuantizePromptEncoder(QuantizeContext& context, PromptEncoder& encoder, double token_unit, double key_unit,
                           double logit_unit);
void QuantizeMaskDecoder(QuantizeContext& context, MaskDecoder& decoder, double token_unit, double key_unit,
                         double logit_unit);

}  // namespace intsam

#endif  // INTSAM_CONVERTER_QUANTIZE_LAYERS_H_
