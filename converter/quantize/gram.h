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
  explicit Gram(size_t channels) : channels_(channels), lower_(channels * (channels + 1) / 2) {}

  // rows: [n][channels]. At most kRowsPerCall of them are used, evenly spread.
  void Add(std::span<const float> rows, Parallel& pool);

  size_t channels() const { return channels_; }
  double Diagonal(size_t i) const { return lower_[i * (i + 1) / 2 + i]; }
  float At(size_t i, size_t j) const { return i >= j ? lower_[i * (i + 1) / 2 + j] : lower_[j * (j + 1) / 2 + i]; }

 private:
  static constexpr size_t kRowsPerCall = 512;
  size_t channels_;
  std::vector<float> lower_;  // rows of the lower triangle: half of the memory, which counts for SAM-H
};

using Grams = std::map<std::string, Gram, std::less<>>;

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_GRAM_H_
