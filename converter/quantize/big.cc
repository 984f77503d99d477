#include "converter/quantize/big.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "converter/quantize/reparametrize.h"

namespace intsam::internal {
namespace {

constexpr size_t kGrid = 128, kBins = 4096;
constexpr size_t kDistance = 32;  // grid points between two peaks
constexpr double kHeight = 0.01;  // of the sum over the grid

// Kernel density at kGrid points of lo..hi.
std::vector<double> Density(std::span<const float> values, double lo, double hi) {
  double mean = 0, square = 0;
  std::vector<double> bins(kBins);
  for (const float v : values) {
    mean += v;
    ++bins[std::min(kBins - 1, static_cast<size_t>((v - lo) / (hi - lo) * kBins))];
  }
  const auto n = static_cast<double>(values.size());
  mean /= n;
  for (const float v : values) square += (v - mean) * (v - mean);
  const double bandwidth = std::sqrt(square / (n - 1)) * std::pow(n, -0.2);
  std::vector<double> density(kGrid);
  for (size_t g = 0; g < kGrid; ++g) {
    const double x = lo + (hi - lo) * static_cast<double>(g) / (kGrid - 1);
    for (size_t b = 0; b < kBins; ++b) {
      const double z = (x - lo - (hi - lo) * (static_cast<double>(b) + 0.5) / kBins) / bandwidth;
      if (bins[b] > 0 && std::fabs(z) < 8) density[g] += bins[b] * std::exp(-z * z / 2);
    }
  }
  return density;
}

}  // namespace

int CountPeaks(std::span<const float> values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (values.size() < 2 || *least == *most) return 1;
  const std::vector<double> f = Density(values, *least, *most);
  const double height = kHeight * std::accumulate(f.begin(), f.end(), 0.0);
  std::vector<size_t> peaks;
  for (size_t i = 1; i + 1 < kGrid; ++i) {
    if (f[i] <= f[i - 1]) continue;
    size_t end = i;  // of a plateau, which counts once, at its middle
    while (end + 1 < kGrid && f[end + 1] == f[i]) ++end;
    if (end + 1 < kGrid && f[end + 1] < f[i] && f[i] >= height) peaks.push_back((i + end) / 2);
    i = end;
  }
  std::stable_sort(peaks.begin(), peaks.end(), [&](size_t a, size_t b) { return f[a] > f[b]; });
  std::vector<size_t> kept;
  for (const size_t peak : peaks) {
    const bool near = std::any_of(kept.begin(), kept.end(), [&](size_t other) {
      return (peak > other ? peak - other : other - peak) < kDistance;
    });
    if (!near) kept.push_back(peak);
  }
  return static_cast<int>(kept.size());
}

std::vector<float> KeySigns(const SiteStatistics& keys) {
  std::vector<float> signs;
  for (const double mean : keys.ChannelMeans()) signs.push_back(mean < 0 ? -1.0f : 1.0f);
  return signs;
}

void FoldSigns(FloatModel& model, const AttentionSite& site, std::span<const float> signs) {
  for (const int part : {0, 1}) {
    const AttentionSite::Projection& projection = site.projections[part];
    ScaleRows(model, projection.layer, projection.first_row, signs);
  }
}

}  // namespace intsam::internal
