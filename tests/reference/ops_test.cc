// The vectorized loops against the same formulas in double, at lengths around every vector width.
#include "converter/fp32/ops.h"
#include "converter/sam_constants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "converter/fp32/attention.h"
#include "converter/fp32/matmul.h"

namespace intsam::internal::fp32 {
namespace {

std::vector<float> Random(size_t count, float scale, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& v : values) v = scale * (static_cast<float>(generator() >> 8) / 8388608.0f - 1.0f);
  return values;
}

TEST(Ops, GeluIsExactOverItsRange) {
  std::vector<float> x;
  for (int i = -20000; i <= 20000; ++i) x.push_back(static_cast<float>(i) / 1600.0f);
  std::vector<float> y = x;
  ThreadPool pool(2);
  BiasGelu(pool, y.data(), 1, y.size(), nullptr);
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = 0.5 * x[i] * std::erfc(-x[i] / std::sqrt(2.0));
    ASSERT_NEAR(y[i], expected, 4e-7 * (1 + std::fabs(x[i]))) << x[i];
  }
}

TEST(Ops, BiasIsAddedBeforeGelu) {
  const std::vector<float> bias = Random(37, 2, 1), x = Random(5 * 37, 2, 2);
  std::vector<float> fused = x, apart = x;
  ThreadPool pool(1);
  BiasGelu(pool, fused.data(), 5, 37, bias.data());
  AddBias(pool, apart.data(), 5, 37, bias.data());
  BiasGelu(pool, apart.data(), 5, 37, nullptr);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(fused[i], apart[i], 1e-6);
}

TEST(Ops, LayerNormAtAllLengths) {
  ThreadPool pool(2);
  for (size_t channels : {4, 7, 8, 15, 16, 31, 33, 100, 768}) {
    const std::vector<float> x = Random(3 * channels, 3, 3), gamma = Random(channels, 2, 4),
                             beta = Random(channels, 1, 5);
    std::vector<float> y(x.size());
    LayerNorm(pool, x.data(), 3, channels, gamma.data(), beta.data(), kMapEpsilon, y.data());
    for (size_t r = 0; r < 3; ++r) {
      double mean = 0, variance = 0;
      for (size_t c = 0; c < channels; ++c) mean += x[r * channels + c] / static_cast<double>(channels);
      for (size_t c = 0; c < channels; ++c)
        variance += std::pow(x[r * channels + c] - mean, 2) / static_cast<double>(channels);
      for (size_t c = 0; c < channels; ++c) {
        const double expected = (x[r * channels + c] - mean) / std::sqrt(variance + 1e-6) * gamma[c] + beta[c];
        ASSERT_NEAR(y[r * channels + c], expected, 1e-5) << channels;
      }
    }
  }
}

// Large scores leave one key with all the weight, so the range reduction of exp is used to its end.
TEST(Ops, AttentionWithRelativeScoresAtAllSides) {
  for (size_t side : {1, 2, 3, 7, 14, 17}) {
    for (float scale : {0.1f, 1.0f, 30.0f}) {
      const size_t keys = side * side, queries = 5, dim = 12;
      const std::vector<float> q = Random(queries * dim, scale, 6), k = Random(keys * dim, 1, 7),
                               v = Random(keys * dim, 1, 8);
      const std::vector<float> h = Random(queries * side, scale, 9), w = Random(queries * side, scale, 10);
      StripScratch scratch;
      std::vector<float> out(queries * dim);
      AttendStrip({}, "", {q.data(), dim}, queries, {k.data(), dim}, {v.data(), dim}, keys, dim,
                  {h.data(), w.data(), side}, scratch, out.data(), dim);
      for (size_t i = 0; i < queries; ++i) {
        std::vector<double> score(keys);
        for (size_t j = 0; j < keys; ++j) {
          for (size_t c = 0; c < dim; ++c) score[j] += double{q[i * dim + c]} * k[j * dim + c];
          score[j] = score[j] / std::sqrt(double{dim}) + h[i * side + j / side] + w[i * side + j % side];
        }
        const double largest = *std::max_element(score.begin(), score.end());
        double sum = 0;
        for (double& s : score) sum += s = std::exp(s - largest);
        for (size_t c = 0; c < dim; ++c) {
          double expected = 0;
          for (size_t j = 0; j < keys; ++j) expected += score[j] / sum * v[j * dim + c];
          ASSERT_NEAR(out[i * dim + c] / scratch.sums.data()[i], expected, 1e-4) << side << " " << scale;
        }
      }
    }
  }
}

TEST(Ops, ProductHonoursStridesAndTranspose) {
  const size_t m = 5, n = 9, k = 6, lda = 8, ldb = 11, ldc = 10;
  const std::vector<float> a = Random(m * lda, 1, 11), b = Random(12 * ldb, 1, 12), before = Random(m * ldc, 1, 13);
  for (Transpose transpose : {Transpose::kNo, Transpose::kYes}) {
    std::vector<float> c = before;
    Product(transpose, m, n, k, a.data(), lda, b.data(), ldb, c.data(), ldc);
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < ldc; ++j) {
        double expected = j < n ? 0 : before[i * ldc + j];  // what lies between rows stays
        for (size_t p = 0; p < k && j < n; ++p) {
          expected += double{a[i * lda + p]} * (transpose == Transpose::kYes ? b[j * ldb + p] : b[p * ldb + j]);
        }
        ASSERT_NEAR(c[i * ldc + j], expected, 1e-5);
      }
    }
  }
}

// Around the sizes at which a product is cut into blocks: every element is somebody's, and whose does not matter.
TEST(Ops, ProductOnAPoolDoesNotDependOnItsThreads) {
  ThreadPool one(1), five(5);
  for (const size_t m : {1, 63, 65, 257, 600}) {
    for (const size_t n : {1, 40, 1024, 1025}) {
      const size_t k = 33, lda = k + 1, ldb = n + k, ldc = n + 2;
      const std::vector<float> a = Random(m * lda, 1, 21), b = Random((n + k) * ldb, 1, 22);
      for (Transpose transpose : {Transpose::kNo, Transpose::kYes}) {
        std::vector<float> c = Random(m * ldc, 1, 23), d = c, e = c;
        Product(transpose, m, n, k, a.data(), lda, b.data(), ldb, c.data(), ldc);
        Product(one, transpose, m, n, k, a.data(), lda, b.data(), ldb, d.data(), ldc);
        Product(five, transpose, m, n, k, a.data(), lda, b.data(), ldb, e.data(), ldc);
        ASSERT_EQ(d, e) << m << " x " << n;
        for (size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], d[i], 1e-4) << m << " x " << n << ", element " << i;
      }
    }
  }
}

TEST(Ops, LinearIsTheSamePackedAndPlain) {
  ThreadPool pool(3);
  const size_t in = 20, out = 40;
  for (const size_t rows : {24, 64, 300, 2300}) {  // one block, whole blocks, and blocks with a rest
    const std::vector<float> weight = Random(out * in, 1, 14), x = Random(rows * in, 1, 15);
    const Linear packed(pool, weight.data(), in, out, rows), plain(pool, weight.data(), in, out, 0);
    std::vector<float> y(rows * out), z(rows * out);
    packed.Run(x.data(), rows, y.data());
    plain.Run(x.data(), rows, z.data());
    for (size_t i = 0; i < y.size(); ++i) {
      double expected = 0;
      for (size_t p = 0; p < in; ++p) expected += double{x[i / out * in + p]} * weight[i % out * in + p];
      ASSERT_NEAR(y[i], expected, 1e-5);
      ASSERT_NEAR(z[i], expected, 1e-5);
    }
  }
}

TEST(Ops, DepthwiseConvolutionOfEachStride) {
  ThreadPool pool(2);
  for (const size_t stride : {1, 2}) {
    for (const size_t channels : {1, 8, 19, 64}) {
      constexpr size_t kSide = 6;
      const std::vector<float> x = Random(kSide * kSide * channels, 2, 11), weight = Random(9 * channels, 1, 12),
                               bias = Random(channels, 1, 13);
      const size_t side = kSide / stride;
      std::vector<float> y(side * side * channels);
      Depthwise3x3(pool, x.data(), kSide, channels, stride, weight.data(), bias.data(), y.data());
      for (size_t i = 0; i < y.size(); ++i) {
        const size_t c = i % channels;
        double sum = bias[c];
        for (int t = 0; t < 9; ++t) {
          const int py = static_cast<int>(i / channels / side * stride) + t / 3 - 1;
          const int px = static_cast<int>(i / channels % side * stride) + t % 3 - 1;
          if (py < 0 || px < 0 || py >= 6 || px >= 6) continue;
          sum += static_cast<double>(x[(static_cast<size_t>(py * 6 + px)) * channels + c]) * weight[t * channels + c];
        }
        ASSERT_NEAR(y[i], sum, 1e-5) << "stride " << stride << ", " << channels << " channels, value " << i;
      }
    }
  }
}

TEST(Ops, SoftmaxOfAWindowAddsTheBiasOfEachDistance) {
  constexpr size_t kWindow = 5, kHeight = 3, kWidth = 4, kKeys = kWindow * kWindow;
  const std::vector<float> scores = Random(kHeight * kWidth * kKeys, 8, 14), by_distance = Random(kKeys, 3, 15);
  std::vector<float> bias;  // by_distance is [|dy|][|dx|]
  for (int dy = 0; dy < 5; ++dy) {
    for (int dx = -4; dx < 5; ++dx) bias.push_back(by_distance[dy * 5 + std::abs(dx)]);
  }
  std::vector<float> found = scores, sums(kHeight * kWidth);
  SoftmaxWindow(found.data(), kHeight, kWidth, kWindow, 0.5f, bias.data(), sums.data());
  for (size_t q = 0; q < kHeight * kWidth; ++q) {
    const int qy = static_cast<int>(q / kWidth), qx = static_cast<int>(q % kWidth);
    std::vector<double> u(kKeys);
    for (int k = 0; k < 25; ++k)
      u[k] = 0.5 * scores[q * kKeys + k] + by_distance[std::abs(k / 5 - qy) * 5 + std::abs(k % 5 - qx)];
    const double largest = *std::max_element(u.begin(), u.end());
    double sum = 0;
    for (size_t k = 0; k < kKeys; ++k) {
      ASSERT_NEAR(found[q * kKeys + k], std::exp(u[k] - largest), 1e-5);
      sum += std::exp(u[k] - largest);
    }
    EXPECT_NEAR(sums[q], sum, 1e-4);
  }
}

}  // namespace
}  // namespace intsam::internal::fp32
