#include "converter/quantize/round_weights.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "converter/fp32/matmul.h"
#include "converter/fp32/simd.h"

namespace intsam::internal {
namespace {

constexpr double kPower = 2.4;     // PTQ4SAM's MSEObserver
constexpr double kDamping = 0.01;  // of the mean second moment, added to the diagonal
constexpr size_t kBlock = 64;      // columns whose feedback is not yet a matrix product

struct Grid {
  float scale;
  int zero, least, most;  // codes
};

// 8 bits are symmetric, as the runtime stores them; from 7 to 6 a symmetric grid loses nothing that counts and keeps
// operands small; below, every level does.
Grid GridOf(double lo, double hi, int bits) {
  const int middle = 1 << (bits - 1), most = (1 << bits) - 1;
  if (bits >= 6) {
    const double scale = std::max(std::max(-lo, hi) / (middle - 1), 1e-12);
    return {static_cast<float>(scale), middle, 1, most};
  }
  const double scale = std::max((hi - lo) / most, 1e-12);
  return {static_cast<float>(scale), static_cast<int>(std::clamp(std::round(-lo / scale), 0.0, double(most))), 0, most};
}

float CodeOf(float value, const Grid& g) {
  return std::clamp(std::floor(value / g.scale + 0.5f) + static_cast<float>(g.zero), static_cast<float>(g.least),
                    static_cast<float>(g.most));
}

// Sum of moment * (w^ - w)^2. Truncation of a positive number in place of floor, and sixteen partial sums: both so that
// the loop vectorizes.
INTSAM_CLONES double SquareError(const float* row, const float* moment, size_t n, float scale, float zero, float least,
                                 float most) {
  const float inverse = 1 / scale;
  float sums[16] = {};
  for (size_t k = 0; k < n; k += 16) {
    for (size_t lane = 0; lane < std::min<size_t>(16, n - k); ++lane) {
      const float shifted = std::min(std::max(row[k + lane] * inverse + zero + 0.5f, least), most + 0.5f);
      const float error = (static_cast<float>(static_cast<int32_t>(shifted)) - zero) * scale - row[k + lane];
      sums[lane] += moment[k + lane] * error * error;
    }
  }
  return std::accumulate(sums, sums + 16, 0.0);
}

double ErrorOf(std::span<const float> row, std::span<const float> moment, const Grid& g) {
  if (!moment.empty()) {
    return SquareError(row.data(), moment.data(), row.size(), g.scale, static_cast<float>(g.zero),
                       static_cast<float>(g.least), static_cast<float>(g.most));
  }
  double total = 0;
  for (const float w : row)
    total += std::pow(std::fabs((CodeOf(w, g) - static_cast<float>(g.zero)) * g.scale - w), kPower);
  return total;
}

Grid SearchGrid(std::span<const float> row, std::span<const float> moment, int bits, bool search) {
  double lo = 0, hi = 0;
  for (const float w : row) lo = std::min<double>(lo, w), hi = std::max<double>(hi, w);
  Grid best = GridOf(lo, hi, bits);
  if (!search) return best;
  double least = ErrorOf(row, moment, best);
  for (double share = 0.98; share > 0.35; share -= 0.02) {
    const Grid grid = GridOf(lo * share, hi * share, bits);
    const double error = ErrorOf(row, moment, grid);
    if (error < least) least = error, best = grid;
  }
  return best;
}

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Cholesky factor of the damped Gram matrix in this order of its inputs.
Matrix FactorOf(const Gram& gram, const std::vector<size_t>& order) {
  const auto n = static_cast<Eigen::Index>(order.size());
  double mean = 0;
  for (size_t i = 0; i < order.size(); ++i) mean += gram.Diagonal(i) / static_cast<double>(order.size());
  const auto damping = static_cast<float>(std::max(kDamping * mean, 1e-20));
  Matrix factor(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      factor(i, j) = gram.At(order[static_cast<size_t>(i)], order[static_cast<size_t>(j)]);
    }
    factor(i, i) += damping;
  }
  Eigen::LLT<Eigen::Ref<Matrix>, Eigen::Lower> in_place(factor);  // positive definite by the damping
  return factor;
}

// Rounds block after block from the last column; error[n][k] = w - w^ of what is rounded already, in the factor's
// order.
void RoundWithFeedback(std::span<const float> weight, const std::vector<Grid>& grids, const std::vector<size_t>& order,
                       const Matrix& factor, WeightCodes& codes) {
  const size_t in = order.size(), out = grids.size();
  std::vector<float> error(out * in), feedback(out * kBlock), columns(kBlock * kBlock);
  const float* l = factor.data();
  for (size_t end = in; end > 0;) {
    const size_t begin = end > kBlock ? end - kBlock : 0, width = end - begin;
    if (end < in) {
      fp32::Product(fp32::Transpose::kNo, out, width, in - end, error.data() + end, in, l + end * in + begin, in,
                    feedback.data(), kBlock);
    }
    // Columns of this block of the factor, divided by their diagonal, side by side.
    for (size_t i = begin; i < end; ++i) {
      for (size_t j = i + 1; j < end; ++j) columns[(i - begin) * kBlock + j - begin] = l[j * in + i] / l[i * in + i];
    }
    for (size_t n = 0; n < out; ++n) {
      float* e = error.data() + n * in;
      for (size_t i = end; i-- > begin;) {
        float sum = end < in ? feedback[n * kBlock + i - begin] / l[i * in + i] : 0;
        const float* column = columns.data() + (i - begin) * kBlock;
        for (size_t j = i + 1; j < end; ++j) sum += e[j] * column[j - begin];
        const size_t at = n * in + order[i];
        const float code = CodeOf(weight[at] + sum, grids[n]);
        codes.codes[at] = static_cast<uint8_t>(code);
        e[i] = weight[at] - (code - static_cast<float>(grids[n].zero)) * grids[n].scale;
      }
    }
    end = begin;
  }
}

}  // namespace

WeightCodes RoundWeights(std::span<const float> weight, size_t out, size_t in, const RoundingOptions& options) {
  std::vector<float> moment;
  for (size_t k = 0; k < in && !options.moment.empty(); ++k) {
    moment.push_back(static_cast<float>(options.moment[k * options.moment.size() / in]));
  }
  WeightCodes codes;
  codes.bits = options.bits;
  codes.codes.resize(out * in);
  std::vector<Grid> grids;
  for (size_t n = 0; n < out; ++n) {
    grids.push_back(SearchGrid(weight.subspan(n * in, in), moment, options.bits, options.search));
    codes.scale.push_back(grids[n].scale);
    codes.zero.push_back(static_cast<uint8_t>(grids[n].zero));
  }
  if (options.gram != nullptr) {
    std::vector<size_t> order(in);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return options.gram->Diagonal(a) < options.gram->Diagonal(b); });
    RoundWithFeedback(weight, grids, order, FactorOf(*options.gram, order), codes);
    return codes;
  }
  for (size_t i = 0; i < weight.size(); ++i) codes.codes[i] = static_cast<uint8_t>(CodeOf(weight[i], grids[i / in]));
  return codes;
}

WeightCodes RoundDepthwise(std::span<const float> weight, size_t channels, const RoundingOptions& options,
                           std::span<const Gram> grams) {
  constexpr size_t kTaps = 9;
  constexpr double kAlike[] = {1};
  WeightCodes codes;
  codes.bits = options.bits;
  for (size_t c = 0; c < channels; ++c) {
    RoundingOptions channel{options.bits, options.search, kAlike, grams.empty() ? nullptr : &grams[c]};
    const WeightCodes row = RoundWeights(weight.subspan(c * kTaps, kTaps), 1, kTaps, channel);
    codes.codes.insert(codes.codes.end(), row.codes.begin(), row.codes.end());
    codes.zero.push_back(row.zero[0]);
    codes.scale.push_back(row.scale[0]);
  }
  return codes;
}

std::vector<float> Dequantize(const WeightCodes& weights) {
  std::vector<float> values(weights.codes.size());
  const size_t in = values.size() / weights.scale.size();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(int{weights.codes[i]} - int{weights.zero[i / in]}) * weights.scale[i / in];
  }
  return values;
}

}  // namespace intsam::internal
