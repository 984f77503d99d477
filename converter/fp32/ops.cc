// Loops of the float reference. Each vectorized kernel handles a row or a range; the public functions spread them over
// a pool. Reductions state their order freedom with "omp simd", so the rest of the file keeps strict float rules.
#include "converter/fp32/ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converter/fp32/parallel.h"
#include "converter/fp32/simd.h"

namespace intsam::internal::fp32 {
namespace {

INTSAM_CLONES void LayerNormRow(const float* x, size_t channels, const float* gamma, const float* beta, float epsilon,
                                float* out) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (size_t c = 0; c < channels; ++c) sum += x[c];
  const float mean = sum / static_cast<float>(channels);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (size_t c = 0; c < channels; ++c) squares += (x[c] - mean) * (x[c] - mean);
  const float factor = 1.0f / std::sqrt(squares / static_cast<float>(channels) + epsilon);
#pragma omp simd
  for (size_t c = 0; c < channels; ++c) out[c] = (x[c] - mean) * factor * gamma[c] + beta[c];
}

INTSAM_CLONES void AddBiasRow(float* x, const float* bias, size_t channels) {
#pragma omp simd
  for (size_t c = 0; c < channels; ++c) x[c] += bias[c];
}

INTSAM_CLONES void GeluRow(float* x, size_t channels) {
#pragma omp simd
  for (size_t c = 0; c < channels; ++c) x[c] *= NormalDistribution(x[c]);
}

INTSAM_CLONES void BiasGeluRow(float* x, const float* bias, size_t channels) {
#pragma omp simd
  for (size_t c = 0; c < channels; ++c) {
    const float value = x[c] + bias[c];
    x[c] = value * NormalDistribution(value);
  }
}

INTSAM_CLONES void BiasReluRow(float* x, const float* bias, size_t channels) {
#pragma omp simd
  for (size_t c = 0; c < channels; ++c) x[c] = std::max(x[c] + bias[c], 0.0f);
}

INTSAM_CLONES void AddResidualRow(float* x, const float* y, const float* bias, size_t channels) {
#pragma omp simd
  for (size_t c = 0; c < channels; ++c) x[c] += y[c] + bias[c];
}

INTSAM_CLONES void AddRange(const float* a, const float* b, size_t count, float* out) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}

INTSAM_CLONES float ScaleAndMax(float* score, size_t keys, float scale) {
  float largest = -INFINITY;
#pragma omp simd reduction(max : largest)
  for (size_t i = 0; i < keys; ++i) {
    const float u = score[i] * scale;
    score[i] = u;
    largest = u > largest ? u : largest;
  }
  return largest;
}

INTSAM_CLONES float ScaleAddAndMax(float* score, size_t side, float scale, const float* rel_h, const float* rel_w) {
  float largest = -INFINITY;
  for (size_t y = 0; y < side; ++y) {
    const float row = rel_h[y];
    float* s = score + y * side;
#pragma omp simd reduction(max : largest)
    for (size_t x = 0; x < side; ++x) {
      const float u = s[x] * scale + (row + rel_w[x]);
      s[x] = u;
      largest = u > largest ? u : largest;
    }
  }
  return largest;
}

INTSAM_CLONES float ScaleAddRowsAndMax(float* score, size_t side, float scale, const float* const* rows) {
  float largest = -INFINITY;
  for (size_t y = 0; y < side; ++y) {
    const float* row = rows[y];
    float* s = score + y * side;
#pragma omp simd reduction(max : largest)
    for (size_t x = 0; x < side; ++x) {
      const float u = s[x] * scale + row[x];
      s[x] = u;
      largest = u > largest ? u : largest;
    }
  }
  return largest;
}

INTSAM_CLONES float ExpAndSum(float* score, size_t keys, float largest) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < keys; ++i) {
    const float e = ExpOfNegative(score[i] - largest);
    score[i] = e;
    sum += e;
  }
  return sum;
}

// taps: the nine pixels' channels.
INTSAM_CLONES void DepthwisePixel(const float* const taps[9], const float* weight, const float* bias, size_t channels,
                                  float* out) {
  const float *t0 = taps[0], *t1 = taps[1], *t2 = taps[2], *t3 = taps[3], *t4 = taps[4], *t5 = taps[5], *t6 = taps[6],
              *t7 = taps[7], *t8 = taps[8];
  const float *w0 = weight, *w1 = w0 + channels, *w2 = w1 + channels, *w3 = w2 + channels, *w4 = w3 + channels,
              *w5 = w4 + channels, *w6 = w5 + channels, *w7 = w6 + channels, *w8 = w7 + channels;
#pragma omp simd
  for (size_t c = 0; c < channels; ++c) {
    out[c] = bias[c] + t0[c] * w0[c] + t1[c] * w1[c] + t2[c] * w2[c] + t3[c] * w3[c] + t4[c] * w4[c] + t5[c] * w5[c] +
             t6[c] * w6[c] + t7[c] * w7[c] + t8[c] * w8[c];
  }
}

INTSAM_CLONES void AddRow(const float* in, const float* bias, size_t count, float* out) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = in[i] + bias[i];
}

INTSAM_CLONES void MultiplyRow(const float* in, float factor, size_t count, float* out) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = in[i] * factor;
}

}  // namespace

void LayerNorm(Parallel& pool, const float* x, size_t rows, size_t channels, const float* gamma, const float* beta,
               float epsilon, float* out) {
  ParallelRows(pool, rows, channels, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      LayerNormRow(x + i * channels, channels, gamma, beta, epsilon, out + i * channels);
    }
  });
}

void AddBias(Parallel& pool, float* x, size_t rows, size_t channels, const float* bias) {
  ParallelRows(pool, rows, channels, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) AddBiasRow(x + i * channels, bias, channels);
  });
}

void BiasGelu(Parallel& pool, float* x, size_t rows, size_t channels, const float* bias) {
  ParallelRows(pool, rows, channels, [&](size_t begin, size_t end) {
    if (bias == nullptr) return GeluRow(x + begin * channels, (end - begin) * channels);
    for (size_t i = begin; i < end; ++i) BiasGeluRow(x + i * channels, bias, channels);
  });
}

void BiasRelu(Parallel& pool, float* x, size_t rows, size_t channels, const float* bias) {
  ParallelRows(pool, rows, channels, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) BiasReluRow(x + i * channels, bias, channels);
  });
}

void AddResidual(Parallel& pool, float* x, const float* y, size_t rows, size_t channels, const float* bias) {
  ParallelRows(pool, rows, channels, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) AddResidualRow(x + i * channels, y + i * channels, bias, channels);
  });
}

void Add(Parallel& pool, const float* a, const float* b, size_t count, float* out) {
  ParallelRows(pool, count, 1,
               [&](size_t begin, size_t end) { AddRange(a + begin, b + begin, end - begin, out + begin); });
}

void SoftmaxRows(float* scores, size_t queries, size_t keys, float scale, const float* rel_h, const float* rel_w,
                 size_t side, float* sums) {
  for (size_t q = 0; q < queries; ++q) {
    float* row = scores + q * keys;
    const float largest = rel_h == nullptr ? ScaleAndMax(row, keys, scale)
                                           : ScaleAddAndMax(row, side, scale, rel_h + q * side, rel_w + q * side);
    sums[q] = ExpAndSum(row, keys, largest);
  }
}

void SoftmaxWindow(float* scores, size_t height, size_t width, size_t window, float scale, const float* bias,
                   float* sums) {
  const size_t keys = window * window, row = 2 * window - 1;
  std::vector<const float*> rows(window);  // for each row of keys, the bias of its first key
  for (size_t q = 0; q < height * width; ++q) {
    const size_t qy = q / width, qx = q % width;
    for (size_t y = 0; y < window; ++y) rows[y] = bias + (qy > y ? qy - y : y - qy) * row + (window - 1 - qx);
    const float largest = ScaleAddRowsAndMax(scores + q * keys, window, scale, rows.data());
    sums[q] = ExpAndSum(scores + q * keys, keys, largest);
  }
}

void CopyRow(const float* in, const float* bias, size_t count, float* out) {
  if (bias == nullptr) {
    std::memcpy(out, in, count * sizeof(float));
  } else {
    AddRow(in, bias, count, out);
  }
}

void ScaleRow(const float* in, float factor, size_t count, float* out) { MultiplyRow(in, factor, count, out); }

std::vector<float> ChannelLast(const std::vector<float>& weight, size_t out, size_t in, size_t kernel) {
  std::vector<float> result(weight.size());
  const size_t taps = kernel * kernel;
  for (size_t o = 0; o < out; ++o) {
    for (size_t i = 0; i < in; ++i) {
      for (size_t t = 0; t < taps; ++t) result[(o * taps + t) * in + i] = weight[(o * in + i) * taps + t];
    }
  }
  return result;
}

std::vector<float> TransposedTaps(const std::vector<float>& weight, size_t in, size_t out) {
  std::vector<float> result(weight.size());
  for (size_t i = 0; i < in; ++i) {
    for (size_t o = 0; o < out; ++o) {
      for (size_t t = 0; t < 4; ++t) result[(t * out + o) * in + i] = weight[(i * out + o) * 4 + t];
    }
  }
  return result;
}

void Patches2x2(const float* x, size_t side, size_t channels, float* out) {
  const size_t half = side / 2;
  for (size_t y = 0; y < side; ++y) {
    for (size_t i = 0; i < half; ++i) {
      // Two neighbouring pixels of one row are contiguous, and so are their places in the patch.
      std::memcpy(out + (((y / 2) * half + i) * 4 + (y % 2) * 2) * channels, x + (y * side + 2 * i) * channels,
                  2 * channels * sizeof(float));
    }
  }
}

void Unfold2x2(Parallel& pool, const float* taps, size_t side, size_t channels, const float* bias, float* out) {
  ParallelRows(pool, side, side * 4 * channels, [&](size_t begin, size_t end) {
    for (size_t y = begin; y < end; ++y) {
      for (size_t x = 0; x < side; ++x) {
        for (size_t t = 0; t < 4; ++t) {
          AddRow(taps + ((y * side + x) * 4 + t) * channels, bias, channels,
                 out + ((2 * y + t / 2) * 2 * side + 2 * x + t % 2) * channels);
        }
      }
    }
  });
}

void Depthwise3x3(Parallel& pool, const float* x, size_t side, size_t channels, size_t stride, const float* weight,
                  const float* bias, float* out) {
  const size_t out_side = side / stride;
  const std::vector<float> outside(channels, 0.0f);
  ParallelRows(pool, out_side, out_side * channels, [&](size_t begin, size_t end) {
    for (size_t i = begin * out_side; i < end * out_side; ++i) {
      const float* taps[9];
      for (size_t t = 0; t < 9; ++t) {
        // One above, one left: the unsigned sums wrap and fail the test below, like those past the far side.
        const size_t py = i / out_side * stride + t / 3 - 1;
        const size_t px = i % out_side * stride + t % 3 - 1;
        taps[t] = py < side && px < side ? x + (py * side + px) * channels : outside.data();
      }
      DepthwisePixel(taps, weight, bias, channels, out + i * channels);
    }
  });
}

void Patches3x3(Parallel& pool, const float* x, size_t side, size_t channels, float* out) {
  ParallelRows(pool, side * side, 9 * channels, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      for (size_t t = 0; t < 9; ++t) {
        // One above, one left: the unsigned sums wrap and fail the test below, like those past the far side.
        const size_t py = i / side + t / 3 - 1;
        const size_t px = i % side + t % 3 - 1;
        float* to = out + (i * 9 + t) * channels;
        if (py < side && px < side) {
          std::memcpy(to, x + (py * side + px) * channels, channels * sizeof(float));
        } else {
          std::fill(to, to + channels, 0.0f);
        }
      }
    }
  });
}

}  // namespace intsam::internal::fp32
