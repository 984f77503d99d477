// Widths of weights under a size: each layer gets the bits that its weights are worth.
#ifndef INTSAM_CONVERTER_QUANTIZE_BIT_BUDGET_H_
#define INTSAM_CONVERTER_QUANTIZE_BIT_BUDGET_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/calibrate.h"
#include "converter/quantize/method.h"
#include "converter/quantize/profile.h"
#include "converter/quantize/sites.h"

namespace intsam::internal {

inline constexpr int kLeastWeightBits = 4;  // fewer are stored as 4

// What a layer's weights take in the file, with 4 to 8 bits.
uint64_t WeightBytes(const LayerSite& layer, int bits);

// A layer whose bits can be chosen, and what they cost.
struct LayerCost {
  LayerSite layer;
  int most_bits = 8;
  double loss = 0;  // with kMeasuredBits (sensitivity.h)
};

// The bits of every layer, by name, so that all together take at most `bytes`, with the least sum of losses that taking
// one bit after the other where it costs least per byte finds; 4 everywhere where nothing fits.
std::map<std::string, int, std::less<>> ChooseWeightBits(std::span<const LayerCost> layers, uint64_t bytes);

// Measures the loss of masks (sensitivity.h) with each layer's weights alone in 4 bits, over the first photos of
// `images`. The Gram matrices of `seen` are read only. A pass through the encoder a layer and photo.
std::vector<LayerCost> MeasureLayers(FloatModel& model, const Observations& seen,
                                     std::span<const CalibrationImage> images, const BitProfile& bits,
                                     const QuantizeMethod& method, int threads, const StepProgress& progress);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_BIT_BUDGET_H_
