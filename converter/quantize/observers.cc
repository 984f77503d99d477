#include "converter/quantize/observers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "converter/fp32/simd.h"

namespace intsam::internal {
namespace {

constexpr size_t kSearchValues = 32768;
constexpr double kPercentile = 0.9999;

// Sum of weight * (v^ - v)^2; see SquareError of round_weights.cc for its form.
INTSAM_CLONES double WeightedError(const float* values, const float* weights, size_t n, float step, float zero,
                                   float most) {
  const float inverse = 1 / step;
  float sums[16] = {};
  for (size_t i = 0; i < n; i += 16) {
    for (size_t lane = 0; lane < std::min<size_t>(16, n - i); ++lane) {
      const float shifted = std::min(std::max(values[i + lane] * inverse + zero + 0.5f, 0.0f), most + 0.5f);
      const float error = (static_cast<float>(static_cast<int32_t>(shifted)) - zero) * step - values[i + lane];
      sums[lane] += weights[i + lane] * error * error;
    }
  }
  return std::accumulate(sums, sums + 16, 0.0);
}

}  // namespace

ActivationScale RangeScale(double lo, double hi, int bits) {
  const double levels = (1 << bits) - 1;
  lo = std::min(lo, 0.0), hi = std::max(hi, 0.0);
  const double scale = std::max((hi - lo) / levels, 1e-8);
  return {scale, static_cast<int>(std::clamp(std::round(-lo / scale), 0.0, levels)), bits};
}

ActivationScale CentredScale(double max, int bits) {
  const int half = (1 << (bits - 1)) - 1;
  return {std::max(max / half, 1e-8), half + 1, bits, bits == 8 ? 1 : 0};
}

ActivationScale LeastErrorScale(std::span<const float> values, size_t channels, std::span<const double> importance,
                                double lo, double hi, int bits, bool centred) {
  std::vector<float> some, weights;  // whole rows, evenly spread
  const size_t rows = values.size() / channels, step = std::max<size_t>(1, values.size() / kSearchValues);
  for (size_t r = 0; r < rows; r += step) {
    const auto row = values.subspan(r * channels, channels);
    some.insert(some.end(), row.begin(), row.end());
    weights.insert(weights.end(), importance.begin(), importance.end());
  }
  if (importance.empty()) weights.assign(some.size(), 1);
  const auto scale_of = [&](double b, double a) {
    return centred ? CentredScale(std::max(-lo * b, hi * a), bits) : RangeScale(lo * b, hi * a, bits);
  };
  const auto error_of = [&](const ActivationScale& s) {
    return WeightedError(some.data(), weights.data(), some.size(), static_cast<float>(s.scale),
                         static_cast<float>(s.zero), static_cast<float>((1 << s.bits) - 1));
  };
  double below = 1, above = 1;
  double least = error_of(scale_of(1, 1));
  const auto consider = [&](double b, double a) {
    const double error = error_of(scale_of(b, a));
    if (error < least) least = error, below = b, above = a;
  };
  for (double share = 0.97; share > 0.1; share *= 0.96) consider(share, share);
  for (int round = 0; round < 2 && !centred; ++round) {
    const double b = below, a = above;
    for (double share = 0.6; share <= 1.6; share += 0.05) consider(std::min(1.0, b * share), a);
    const double chosen = below;
    for (double share = 0.6; share <= 1.6; share += 0.05) consider(chosen, std::min(1.0, a * share));
  }
  return scale_of(below, above);
}

ActivationScale Observe(const SiteStatistics& site, Observer observer, int bits, bool centred,
                        std::span<const double> importance) {
  double lo = site.min(), hi = site.max();
  if (observer == Observer::kAverageMinMax) lo = site.mean_min(), hi = site.mean_max();
  if (observer == Observer::kPercentile) site.Percentile(kPercentile, lo, hi);
  if (observer == Observer::kMse)
    return LeastErrorScale(site.sample(), site.channels(), importance, lo, hi, bits, centred);
  return centred ? CentredScale(std::max(-lo, hi), bits) : RangeScale(lo, hi, bits);
}

float FakeQuantize(float value, const ActivationScale& scale) {
  const double code = std::floor(value / scale.scale + 0.5) + scale.zero;
  return static_cast<float>((std::clamp(code, 0.0, static_cast<double>((1 << scale.bits) - 1)) - scale.zero) *
                            scale.scale);
}

std::vector<float> FakeQuantize(std::span<const float> values, const ActivationScale& scale) {
  std::vector<float> out;
  out.reserve(values.size());
  for (const float v : values) out.push_back(FakeQuantize(v, scale));
  return out;
}

}  // namespace intsam::internal
