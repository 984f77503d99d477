// Second moments of a layer's inputs, sum over rows of x x^T: what the rounding of its weights is measured against.
#ifndef INTSAM_CONVERTER_QUANTIZE_GRAM_H_
#define INTSAM_CONVERTER_QUANTIZE_GRAM_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/thread_pool.h"

namespace intsam::internal {

class Gram {
 public:
  explicit Gram(size_t channels) : channels_(channels), sums_(channels), lower_(channels * (channels + 1) / 2) {}

  // rows: [n][channels]. At most kRowsPerCall of them are used, evenly spread.
  void Add(std::span<const float> rows, Parallel& pool);
  // One row, for Gram matrices of few channels.
  void AddRow(std::span<const float> row);
  // Takes the mean input's part away: what is left counts where a bias makes up for the mean error.
  void Centre();

  size_t channels() const { return channels_; }
  double Diagonal(size_t i) const { return lower_[i * (i + 1) / 2 + i]; }
  float At(size_t i, size_t j) const { return i >= j ? lower_[i * (i + 1) / 2 + j] : lower_[j * (j + 1) / 2 + i]; }

 private:
  static constexpr size_t kRowsPerCall = 512;
  size_t channels_, rows_ = 0;
  std::vector<double> sums_;  // of each input
  std::vector<float> lower_;  // rows of the lower triangle: half of the memory, which counts for SAM-H
};

// By layer: one matrix; of a depthwise convolution one a channel.
using Grams = std::map<std::string, std::vector<Gram>, std::less<>>;

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_GRAM_H_
