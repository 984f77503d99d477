// What calibration remembers of each activation site: its extremes, and a sample for percentiles.
#ifndef INTSAM_CONVERTER_QUANTIZE_STATISTICS_H_
#define INTSAM_CONVERTER_QUANTIZE_STATISTICS_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace intsam {

class SiteStatistics {
 public:
  void Add(std::span<const float> values);

  double min() const { return min_; }
  double max() const { return max_; }
  double max_abs() const { return -min_ > max_ ? -min_ : max_; }
  // Smallest range that holds this share of the sample at each end, at most min()..max(). share in 0.5..1.
  void Percentile(double share, double& lo, double& hi) const;

 private:
  static constexpr size_t kPerCall = 4096;   // values sampled of each call, evenly spread
  static constexpr size_t kSample = 131072;  // values kept; beyond, every other one is dropped and sampling halves
  double min_ = 0, max_ = 0;                 // zero is always representable
  size_t thinning_ = 1;
  std::vector<float> sample_;
};

class Statistics {
 public:
  void Add(std::string_view site, std::span<const float> values);
  // kInternal when the site was never observed.
  Status Require(const std::string& site) const;
  const SiteStatistics& at(const std::string& site) const { return sites_.at(site); }
  const std::map<std::string, SiteStatistics, std::less<>>& sites() const { return sites_; }

 private:
  std::map<std::string, SiteStatistics, std::less<>> sites_;
};

}  // namespace intsam

#endif  // INTSAM_CONVERTER_QUANTIZE_STATISTICS_H_
