#include "converter/quantize/gram.h"

#include <algorithm>

#include "converter/fp32/matmul.h"

namespace intsam::internal {

void Gram::Add(std::span<const float> rows, Parallel& pool) {
  const size_t n = rows.size() / channels_, used = std::min(n, kRowsPerCall);
  std::vector<float> columns(channels_ * used), square(channels_ * channels_);
  for (size_t r = 0; r < used; ++r) {
    const float* from = rows.data() + (2 * r + 1) * n / (2 * used) * channels_;
    for (size_t c = 0; c < channels_; ++c) columns[c * used + r] = from[c], sums_[c] += from[c];
  }
  rows_ += used;
  fp32::Product(pool, fp32::Transpose::kYes, channels_, channels_, used, columns.data(), used, columns.data(), used,
                square.data(), channels_);
  float* to = lower_.data();
  for (size_t i = 0; i < channels_; ++i) {
    for (size_t j = 0; j <= i; ++j) *to++ += square[i * channels_ + j];
  }
}

void Gram::AddRow(std::span<const float> row) {
  float* to = lower_.data();
  for (size_t i = 0; i < channels_; ++i) {
    sums_[i] += row[i];
    for (size_t j = 0; j <= i; ++j) *to++ += row[i] * row[j];
  }
  ++rows_;
}

void Gram::Centre() {
  constexpr float kLeast = 1e-6f;  // of a moment: what differences of large numbers leave
  float* to = lower_.data();
  for (size_t i = 0; i < channels_; ++i) {
    const double mean = rows_ == 0 ? 0 : sums_[i] / static_cast<double>(rows_);
    const float least = kLeast * lower_[i * (i + 1) / 2 + i];
    for (size_t j = 0; j <= i; ++j) *to++ -= static_cast<float>(mean * sums_[j]);
    to[-1] = std::max(to[-1], least);
  }
  std::fill(sums_.begin(), sums_.end(), 0.0);
}

}  // namespace intsam::internal
