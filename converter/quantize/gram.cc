#include "converter/quantize/gram.h"

#include <algorithm>

#include "converter/fp32/matmul.h"

namespace intsam::internal {

void Gram::Add(std::span<const float> rows, Parallel& pool) {
  const size_t n = rows.size() / channels_, used = std::min(n, kRowsPerCall);
  std::vector<float> columns(channels_ * used), square(channels_ * channels_);
  for (size_t r = 0; r < used; ++r) {
    const float* from = rows.data() + (2 * r + 1) * n / (2 * used) * channels_;
    for (size_t c = 0; c < channels_; ++c) columns[c * used + r] = from[c];
  }
  fp32::Product(pool, fp32::Transpose::kYes, channels_, channels_, used, columns.data(), used, columns.data(), used,
                square.data(), channels_);
  float* to = lower_.data();
  for (size_t i = 0; i < channels_; ++i) {
    for (size_t j = 0; j <= i; ++j) *to++ += square[i * channels_ + j];
  }
}

}  // namespace intsam::internal
