#include "converter/quantize/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace intsam::internal {

void SiteStatistics::Add(std::span<const float> values, size_t channels) {
  if (values.empty()) return;
  if (channel_min_.empty()) {
    channel_min_.assign(channels, std::numeric_limits<float>::max());
    channel_max_.assign(channels, std::numeric_limits<float>::lowest());
    channel_sum_.assign(channels, 0);
  }
  const size_t rows = values.size() / channels;
  double lo = 0, hi = 0;
  for (size_t r = 0; r < rows; ++r) {
    const float* row = values.data() + r * channels;
    for (size_t c = 0; c < channels; ++c) {
      channel_min_[c] = std::min(channel_min_[c], row[c]);
      channel_max_[c] = std::max(channel_max_[c], row[c]);
      channel_sum_[c] += row[c];
    }
    const auto [least, most] = std::minmax_element(row, row + channels);
    lo = std::min<double>(lo, *least), hi = std::max<double>(hi, *most);
  }
  min_ = std::min(min_, lo), max_ = std::max(max_, hi);
  ++calls_, rows_ += rows;
  mean_min_ += (lo - mean_min_) / static_cast<double>(calls_);
  mean_max_ += (hi - mean_max_) / static_cast<double>(calls_);
  Sample(values, channels);
}

// Sums of finite floats stay far within double, and nothing makes an infinity or a NaN finite again.
bool SiteStatistics::finite() const {
  return std::all_of(channel_sum_.begin(), channel_sum_.end(), [](double sum) { return std::isfinite(sum); });
}

void SiteStatistics::Sample(std::span<const float> values, size_t channels) {
  const size_t rows = values.size() / channels;
  const size_t step = std::max<size_t>(1, rows / kRowsPerCall) * thinning_;
  size_t row = skip_;
  for (; row < rows; row += step) {
    const float* from = values.data() + row * channels;
    sample_.insert(sample_.end(), from, from + channels);
  }
  skip_ = (row - rows) % step;  // few rows a call: what was left of the step goes on into the next call
  const size_t most = std::max<size_t>(16, std::min(kSampleRows, kSampleFloats / channels));
  while (sample_.size() > most * channels) {
    size_t kept = 0;
    for (size_t r = 0; r * channels < sample_.size(); r += 2, ++kept) {
      std::copy_n(sample_.begin() + static_cast<std::ptrdiff_t>(r * channels), channels,
                  sample_.begin() + static_cast<std::ptrdiff_t>(kept * channels));
    }
    sample_.resize(kept * channels);
    thinning_ *= 2;
  }
}

void SiteStatistics::Percentile(double share, double& lo, double& hi) const {
  lo = min_, hi = max_;
  if (share >= 1 || sample_.empty()) return;
  std::vector<float> sorted = sample_;
  const auto quantile = [&](double q) {
    const size_t i = std::min(sorted.size() - 1, static_cast<size_t>(q * static_cast<double>(sorted.size())));
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(i), sorted.end());
    return static_cast<double>(sorted[i]);
  };
  lo = std::min(0.0, quantile(1 - share));
  hi = std::max(0.0, quantile(share));
}

std::vector<double> SiteStatistics::ChannelMeans() const {
  std::vector<double> means = channel_sum_;
  for (double& m : means) m /= static_cast<double>(rows_);
  return means;
}

void Statistics::Add(std::string_view site, std::span<const float> values, size_t channels) {
  const auto found = sites_.find(site);
  (found == sites_.end() ? sites_[std::string(site)] : found->second).Add(values, channels);
}

Status Statistics::Require(const std::string& site) const {
  if (sites_.contains(site)) return Status();
  return Error(Code::kInternal, "calibration never observed %s", site.c_str());
}

}  // namespace intsam::internal
