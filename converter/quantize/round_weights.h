// From real weights to codes: the scale of each output channel, and which of its two neighbours every weight becomes.
#ifndef INTSAM_CONVERTER_QUANTIZE_ROUND_WEIGHTS_H_
#define INTSAM_CONVERTER_QUANTIZE_ROUND_WEIGHTS_H_

#include <cstddef>
#include <span>

#include "converter/quantize/gram.h"
#include "converter/quantize/plan.h"

namespace intsam::internal {

struct RoundingOptions {
  int bits = 8;
  // Search of each channel's range for the least error; otherwise the channel's extremes.
  bool search = true;
  // What the search minimizes: sum of moment[k] * error^2, moment the mean square of input k (of every in /
  // moment.size() neighbouring k); empty: |error|^2.4, as PTQ4SAM's MSEObserver.
  std::span<const double> moment;
  // Of the layer's input, one row per k: error feedback (below). Null: nearest codes.
  const Gram* gram = nullptr;
};

// weight: [out][in] row-major. At 6 bits and more zero is the middle code and code 0 is not used (at
// 8 bits the runtime's -127..127).
//
// Error feedback minimizes the layer's output error tr(E H E^T) over the calibration inputs, H their Gram matrix, one
// weight of a row after the other: with H = L L^T the error is sum_i (sum_{j >= i} L[j][i] e[j])^2, so from the last k
// to the first each weight is rounded after adding sum_{j > i} L[j][i] e[j] / L[i][i]. This is GPTQ (Frantar et al.,
// ICLR 2023) in the form that needs one Cholesky factor and no inverse. Inputs with the largest moments are rounded
// first.
WeightCodes RoundWeights(std::span<const float> weight, size_t out, size_t in, const RoundingOptions& options);

// The same of a depthwise 3x3 convolution, [channels][9], each channel by its own Gram matrix; `grams` may be empty.
WeightCodes RoundDepthwise(std::span<const float> weight, size_t channels, const RoundingOptions& options,
                           std::span<const Gram> grams);

// (code - zero) * scale of every weight.
std::vector<float> Dequantize(const WeightCodes& weights);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_ROUND_WEIGHTS_H_
