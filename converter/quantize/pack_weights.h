// stand-in until the packed branch is merged
#ifndef INTSAM_CONVERTER_QUANTIZE_PACK_WEIGHTS_H_
#define INTSAM_CONVERTER_QUANTIZE_PACK_WEIGHTS_H_
#include <vector>
#include "converter/quantize/parameters.h"
namespace intsam {
inline std::vector<int8_t> PackPanels(const std::vector<int8_t>& rows, uint32_t out, uint32_t in) {
  std::vector<int8_t> panels(size_t{(out + 15) / 16} * 16 * in);
  for (uint32_t n = 0; n < out; ++n) {
    for (uint32_t k = 0; k < in; ++k) {
      panels[(size_t{n / 16} * (in / 4) + k / 4) * 64 + n % 16 * 4 + k % 4] = rows[size_t{n} * in + k];
    }
  }
  return panels;
}
inline void SetWeights(Linear& linear, const std::vector<uint8_t>& codes, const std::vector<uint8_t>& zero, int, TensorPool& pool) {
  const uint32_t in = linear.in, out = linear.out;
  std::vector<int8_t> panels(size_t{(out + 15) / 16} * 16 * in);
  for (uint32_t n = 0; n < out; ++n) {
    for (uint32_t k = 0; k < in; ++k) {
      panels[(size_t{n / 16} * (in / 4) + k / 4) * 64 + n % 16 * 4 + k % 4] = static_cast<int8_t>(codes[size_t{n} * in + k] - zero[n]);
    }
  }
  linear.weight = pool.Add(panels);
}
}
#endif
