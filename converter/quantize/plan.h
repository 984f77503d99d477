// What a quantization decides, before any of it becomes mantissas and shifts: the scale of every activation site, the
// codes of every weight, the coding of every softmax. Two producers exist: the converter's own calibration
// (calibrated_plan.h) and imported PTQ4SAM models (converter/import). One consumer: QuantizeModel (quantize.h).
//
// Names are those of float_sam.cc's list for activations ("image_encoder.blocks.3.attn.q"), module paths for weights
// ("image_encoder.blocks.3.attn.qkv"), and attention paths for softmax ("image_encoder.blocks.3.attn").
#ifndef INTSAM_CONVERTER_QUANTIZE_PLAN_H_
#define INTSAM_CONVERTER_QUANTIZE_PLAN_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace intsam::internal {

// value = (code - zero) * scale with code in 0..2^bits-1 and zero in 0..2^bits-1: zero is always representable.
struct ActivationScale {
  double scale = 1;
  int zero = 0;
  int bits = 8;  // 2..8
  int least = 0;  // 1: code 0, which the range has no use for, is not given
};

// value[n][k] = (codes[n][k] - zero[n]) * scale[n], codes in 0..2^bits-1. Rows are output channels, in the order and
// the inner order (k) of the official weight tensor.
struct WeightCodes {
  int bits = 8;  // 2..8
  std::vector<uint8_t> codes;
  std::vector<uint8_t> zero;  // per row
  std::vector<float> scale;   // per row, > 0
  std::vector<float> bias;    // per row, in place of the model's; empty: the model's own
};

// How probabilities are coded before the product with the values (docs/numerics.md 6.3).
struct SoftmaxCoding {
  enum Kind { kExact, kUniform, kAgq };  // E16; codes * scale; scale * 2^(-code / tau)
  Kind kind = kExact;
  int bits = 8;      // kUniform, kAgq: 2..8
  int tau = 1;       // kAgq: 1, 2, 4, and 8 or 16 where the converter chose them itself
  double scale = 1;  // kUniform: the step; kAgq: what code 0 stands for, 0 < scale <= 4
};

struct QuantizationPlan {
  std::map<std::string, ActivationScale, std::less<>> activations;
  std::map<std::string, WeightCodes, std::less<>> weights;
  std::map<std::string, SoftmaxCoding, std::less<>> softmax;
  std::map<std::string, uint32_t, std::less<>> forms;  // DecoderAttention::Form by attention; absent: kOnImage
  std::set<std::string, std::less<>> as_values;        // inputs that are the stream's s16 values: no activations
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_PLAN_H_
