// From what calibration saw of a site to the scale of its codes.
#ifndef INTSAM_CONVERTER_QUANTIZE_OBSERVERS_H_
#define INTSAM_CONVERTER_QUANTIZE_OBSERVERS_H_

#include <span>
#include <vector>

#include "converter/quantize/plan.h"
#include "converter/quantize/statistics.h"

namespace intsam::internal {

enum class Observer {
  kMinMax,         // extremes over all calls
  kAverageMinMax,  // means over calls of each call's extremes (PTQ4SAM)
  kPercentile,     // 99.99 % of the sample at each end
  kMse             // the range with the least squared error over the sample
};

// Asymmetric codes of a range; zero is always representable.
ActivationScale RangeScale(double lo, double hi, int bits);
// Codes of +-max around the middle code; of 8 bits the least is 1, so that none is -128 as s8.
ActivationScale CentredScale(double max, int bits);

// `centred`: 8-bit signed sites, whose codes lie around 128. importance: what an error of a channel
// costs (kMse only), empty for all alike.
ActivationScale Observe(const SiteStatistics& site, Observer observer, int bits, bool centred,
                        std::span<const double> importance);

// The range with the least squared error over values [rows][channels], searched inside lo..hi.
ActivationScale LeastErrorScale(std::span<const float> values, size_t channels, std::span<const double> importance,
                                double lo, double hi, int bits, bool centred);

float FakeQuantize(float value, const ActivationScale& scale);
std::vector<float> FakeQuantize(std::span<const float> values, const ActivationScale& scale);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_OBSERVERS_H_
