// What calibration remembers of each activation site: its extremes, those of each channel, and a sample of whole rows.
#ifndef INTSAM_CONVERTER_QUANTIZE_STATISTICS_H_
#define INTSAM_CONVERTER_QUANTIZE_STATISTICS_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

class SiteStatistics {
 public:
  // values: [rows][channels], the same number of channels at every call. A call is one photo in the image encoder, one
  // prompt in the mask decoder.
  void Add(std::span<const float> values, size_t channels);

  uint64_t calls() const { return calls_; }
  // Over all calls; zero is always inside.
  double min() const { return min_; }
  double max() const { return max_; }
  double max_abs() const { return -min_ > max_ ? -min_ : max_; }
  // Whether every value was a finite number; the ranges do not show a NaN.
  bool finite() const;
  // Means over calls of each call's extremes (PTQ4SAM's AvgMinMax observer).
  double mean_min() const { return mean_min_; }
  double mean_max() const { return mean_max_; }
  // Smallest range that holds this share of the sample at each end, at most min()..max(). share in 0.5..1.
  void Percentile(double share, double& lo, double& hi) const;

  size_t channels() const { return channel_min_.size(); }
  const std::vector<float>& channel_min() const { return channel_min_; }
  const std::vector<float>& channel_max() const { return channel_max_; }
  std::vector<double> ChannelMeans() const;

  // Rows spread evenly over all calls: [sample_rows()][channels()].
  std::span<const float> sample() const { return sample_; }
  size_t sample_rows() const { return channels() == 0 ? 0 : sample_.size() / channels(); }

 private:
  static constexpr size_t kRowsPerCall = 64;
  static constexpr size_t kSampleRows = 1024;      // beyond, every other row is dropped and sampling halves
  static constexpr size_t kSampleFloats = 262144;  // likewise
  void Sample(std::span<const float> values, size_t channels);

  double min_ = 0, max_ = 0, mean_min_ = 0, mean_max_ = 0;
  uint64_t calls_ = 0, rows_ = 0;
  std::vector<float> channel_min_, channel_max_;
  std::vector<double> channel_sum_;
  size_t thinning_ = 1, skip_ = 0;  // skip_: rows until the next one that is kept
  std::vector<float> sample_;
};

class Statistics {
 public:
  void Add(std::string_view site, std::span<const float> values, size_t channels);
  // kInternal when the site was never observed.
  Status Require(const std::string& site) const;
  bool Has(const std::string& site) const { return sites_.contains(site); }
  const SiteStatistics& at(const std::string& site) const { return sites_.at(site); }
  const std::map<std::string, SiteStatistics, std::less<>>& sites() const { return sites_; }

 private:
  std::map<std::string, SiteStatistics, std::less<>> sites_;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_STATISTICS_H_
