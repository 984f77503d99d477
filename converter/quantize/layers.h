// Building blocks of QuantizeModel (layers.cc): scales of sites, weights to panels, layers of each kind; and the parts
// of the model that it puts together.
#ifndef INTSAM_CONVERTER_QUANTIZE_LAYERS_H_
#define INTSAM_CONVERTER_QUANTIZE_LAYERS_H_

#include <span>
#include <string>
#include <vector>

#include "converter/quantize/quantize.h"

namespace intsam::internal {

// What the builders of all parts share.
struct QuantizeContext {
  const FloatModel& float_model;
  const Statistics& statistics;
  QuantizationPlan& plan;
  TensorPool& pool;
  std::vector<std::string>& notes;
  Status status;  // the first missing site

  const std::vector<float>& Weight(const std::string& key) const { return float_model.at(key); }
  double MaxAbs(const std::string& site);
  // Of a planned activation: codes as they are, in front of a linear layer; signed ones around zero 128, which some
  // forms of attention demand; and in front of other attentions, where a narrow range lies around 128 too, so that its
  // codes are small as s8, and another one stays as it is.
  Scale Codes(const std::string& site);
  Scale Signed(const std::string& site);
  Scale Attended(const std::string& site);
  const SoftmaxCoding& Coding(const std::string& attention);
  // Unit of an s16 value with this head room over the calibrated maximum, and of an R24 value (head room 4).
  double S16Unit(const std::string& site, double head_room);
  double R24Unit(const std::string& site);

  void Missing(const std::string& what);
};

// How the rows of a layer's accumulators are read: what one input code is worth, and the real size of the smallest
// output step that matters (it keeps dead channels' scales in range; 0: none does).
struct LayerUse {
  double input_scale = 1;
  double least_output = 0;
};

// A planned layer: fills weight and bias of `linear` and returns the real value of one accumulator unit per channel.
std::vector<double> PlannedLinear(QuantizeContext& context, const std::string& name, const LayerUse& use,
                                  Linear& linear);
// The same for a convolution of `taps` entries per channel, whose official order (channel, tap) becomes (tap, channel).
std::vector<double> PlannedConvolution(QuantizeContext& context, const std::string& name, const LayerUse& use,
                                       uint32_t taps, Linear& linear);
// A W8A16 layer: 8-bit weights, nearest codes of each channel's extreme. `bias` may be empty.
std::vector<double> WideLinear(QuantizeContext& context, std::span<const float> weight, std::span<const float> bias,
                               double input_scale, Linear& linear);
std::vector<double> QuantizeLinear12(QuantizeContext& context, std::span<const float> weight,
                                     std::span<const float> bias, double input_scale, Linear12& linear);

// A planned depthwise 3x3 convolution.
std::vector<double> PlannedDepthwise(QuantizeContext& context, const std::string& name, const LayerUse& use,
                                     Depthwise& conv);
// A depthwise 3x3 convolution, [channels][9], over s16 values.
std::vector<double> QuantizeDepthwise12(QuantizeContext& context, std::span<const float> weight,
                                        std::span<const float> bias, double input_scale, Depthwise12& conv);

// units[c] / output for every channel.
std::vector<double> Multipliers(std::span<const double> units, double output);

void QuantizePromptEncoder(QuantizeContext& context, PromptEncoder& encoder, double token_unit, double key_unit,
                           double logit_unit);
void QuantizeMaskDecoder(QuantizeContext& context, MaskDecoder& decoder, double token_unit, double key_unit,
                         double logit_unit);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_LAYERS_H_
