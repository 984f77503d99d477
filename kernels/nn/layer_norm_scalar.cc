// Normative LayerNorm of R24 rows (docs/numerics.md, section 4): two exact integer passes for the statistics, then one
// formula per element.
#include "kernels/numerics/layer_norm.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

struct RowStatistics {
  int32_t mean;
  LayerNormScale scale;
};

// |x| < 2^23 and at most 2048 channels: the sum stays below 2^34, the squares below 2^59.
RowStatistics StatisticsOf(const int32_t* x, int channels, int64_t epsilon, int32_t sqrt_c) {
  int64_t sum = 0;
  for (int c = 0; c < channels; ++c) sum += x[c];
  const int32_t mean = LayerNormMean(sum, channels);
  int64_t sum_squares = epsilon;
  for (int c = 0; c < channels; ++c) {
    const int64_t d = x[c] - mean;
    sum_squares += d * d;
  }
  return {mean, LayerNormScaleOf(sum_squares, sqrt_c)};
}

void ScalarLayerNormNarrow(const LayerNormNarrow& l) {
  for (size_t i = 0; i < static_cast<size_t>(l.rows); ++i) {
    const int32_t* x = l.x + i * l.x_stride;
    uint8_t* out = l.out + i * l.out_stride;
    const RowStatistics row = StatisticsOf(x, l.channels, l.epsilon, l.sqrt_c);
    const LayerNormScale16 scale = LayerNormScale16Of(row.scale);
    for (int c = 0; c < l.channels; ++c) {
      const int code = LayerNormNarrowCode(x[c] - row.mean, scale, l.gain[c], l.bias[c], l.k, l.lo, l.hi);
      out[c] = static_cast<uint8_t>(static_cast<uint8_t>(code) ^ l.flip);
    }
  }
}

void ScalarLayerNormWide(const LayerNormWide& l) {
  for (size_t i = 0; i < static_cast<size_t>(l.rows); ++i) {
    const int32_t* x = l.x + i * l.x_stride;
    int16_t* out = l.out + i * l.out_stride;
    const RowStatistics row = StatisticsOf(x, l.channels, l.epsilon, l.sqrt_c);
    for (int c = 0; c < l.channels; ++c) {
      out[c] = LayerNormWideValue(x[c] - row.mean, row.scale, l.gain[c], l.bias[c], l.shift);
    }
  }
}

}  // namespace

void FillLayerNormScalar(Kernels& k) {
  k.layer_norm_narrow = ScalarLayerNormNarrow;
  k.layer_norm_wide = ScalarLayerNormWide;
}

}  // namespace intsam::internal
