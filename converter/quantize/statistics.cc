#include "converter/quantize/statistics.h"

#include <algorithm>

namespace intsam {

void SiteStatistics::Add(std::span<const float> values) {
  for (const float v : values) min_ = std::min<double>(min_, v), max_ = std::max<double>(max_, v);
  const size_t step = std::max<size_t>(1, values.size() / kPerCall) * thinning_;
  for (size_t i = sample_.size() % step; i < values.size(); i += step) sample_.push_back(values[i]);
  if (sample_.size() <= kSample) return;
  for (size_t i = 0; 2 * i < sample_.size(); ++i) sample_[i] = sample_[2 * i];
  sample_.resize((sample_.size() + 1) / 2);
  thinning_ *= 2;
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

void Statistics::Add(std::string_view site, std::span<const float> values) {
  const auto found = sites_.find(site);
  (found == sites_.end() ? sites_[std::string(site)] : found->second).Add(values);
}

Status Statistics::Require(const std::string& site) const {
  if (sites_.contains(site)) return Status();
  return Error(Code::kInternal, "calibration never observed %s", site.c_str());
}

}  // namespace intsam
