// The element-wise passes of the float reference, vectorized for the CPU at hand and spread over a pool by rows.
// Matrices are [rows][channels]. A null bias means that it was added before.
#ifndef INTSAM_CONVERTER_FP32_OPS_H_
#define INTSAM_CONVERTER_FP32_OPS_H_

#include <cstddef>
#include <vector>

#include "runtime/base/thread_pool.h"

namespace intsam::internal::fp32 {

// out may be x.
void LayerNorm(Parallel& pool, const float* x, size_t rows, size_t channels, const float* gamma, const float* beta,
               float epsilon, float* out);
void AddBias(Parallel& pool, float* x, size_t rows, size_t channels, const float* bias);
void BiasGelu(Parallel& pool, float* x, size_t rows, size_t channels, const float* bias);  // exact GELU, by erf
void BiasRelu(Parallel& pool, float* x, size_t rows, size_t channels, const float* bias);
// x += y + bias
void AddResidual(Parallel& pool, float* x, const float* y, size_t rows, size_t channels, const float* bias);
// out = a + b; out may be a.
void Add(Parallel& pool, const float* a, const float* b, size_t count, float* out);

// One head's softmax over keys for `queries` rows of raw products, not yet divided by the row sums, which go to `sums`:
// score = exp(u - max u), u = scale * score + rel_h[key row] + rel_w[key column]. rel_h, rel_w: [queries][side] with
// keys = side * side, or null.
void SoftmaxRows(float* scores, size_t queries, size_t keys, float scale, const float* rel_h, const float* rel_w,
                 size_t side, float* sums);

// SoftmaxRows for the `height` * `width` queries of a window and its window^2 keys, u = scale * score + bias[|dy|][dx]:
// the biases are [window][2 * window - 1], a row being those of dx = -(window - 1) .. window - 1.
void SoftmaxWindow(float* scores, size_t height, size_t width, size_t window, float scale, const float* bias,
                   float* sums);

// out[i] = in[i] + bias[i], or in[i] where bias is null.
void CopyRow(const float* in, const float* bias, size_t count, float* out);
// out[i] = in[i] * factor
void ScaleRow(const float* in, float factor, size_t count, float* out);

// Reorders a convolution weight [out][in][height][width] to [out][height][width][in], the order of a channel-last
// patch.
std::vector<float> ChannelLast(const std::vector<float>& weight, size_t out, size_t in, size_t kernel);
// A transposed convolution's weight [in][out][2][2] as a matrix [2 * 2 * out][in].
std::vector<float> TransposedTaps(const std::vector<float>& weight, size_t in, size_t out);
// x [side][side][channels] to rows of 2x2 patches, [(side / 2)^2][2 * 2 * channels].
void Patches2x2(const float* x, size_t side, size_t channels, float* out);
// Rows of 2x2 taps [side * side][2 * 2 * channels] to [2 * side][2 * side][channels], adding the bias.
void Unfold2x2(Parallel& pool, const float* taps, size_t side, size_t channels, const float* bias, float* out);
// Zero-padded 3x3 convolution of each channel by itself: x [side][side][channels], weight [9][channels], out [side /
// stride][side / stride][channels]. The stride divides the side.
void Depthwise3x3(Parallel& pool, const float* x, size_t side, size_t channels, size_t stride, const float* weight,
                  const float* bias, float* out);
// x [side][side][channels] to zero-padded 3x3 neighbourhoods, [side * side][3 * 3 * channels].
void Patches3x3(Parallel& pool, const float* x, size_t side, size_t channels, float* out);

}  // namespace intsam::internal::fp32

#endif  // INTSAM_CONVERTER_FP32_OPS_H_
