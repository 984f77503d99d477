#include "converter/quantize/pack_weights.h"

#include <algorithm>
#include <cstdlib>

#include "kernels/kernels.h"
#include "kernels/numerics/packed_weights.h"

namespace intsam::internal {

std::vector<int8_t> PackPanels(const std::vector<int8_t>& rows, uint32_t out, uint32_t in) {
  std::vector<int8_t> panels(size_t{(out + 15) / 16} * 16 * in);
  for (uint32_t n = 0; n < out; ++n) {
    for (uint32_t k = 0; k < in; ++k) {
      panels[(size_t{n / 16} * (in / 4) + k / 4) * 64 + n % 16 * 4 + k % 4] = rows[size_t{n} * in + k];
    }
  }
  return panels;
}

std::vector<uint8_t> PackWeights(const std::vector<uint8_t>& codes, int bits, uint32_t in, uint32_t out) {
  const size_t panels = (out + kPanel - 1) / kPanel;
  std::vector<uint8_t> packed(panels * (in / 4) * GroupBytes(bits));
  uint8_t* at = packed.data();
  for (size_t panel = 0; panel < panels; ++panel) {
    for (size_t k = 0; k < in; k += 4, at += GroupBytes(bits)) {
      GroupCodes group{};
      for (size_t lane = 0; lane < kGroup; ++lane) {
        const size_t channel = panel * kPanel + lane / 4;
        if (channel < out) group[lane] = codes[channel * in + k + lane % 4];
      }
      PackGroup(group, bits, at);
    }
  }
  return packed;
}

void SetWeights(Linear& linear, const std::vector<uint8_t>& codes, const std::vector<uint8_t>& zero, int bits,
                TensorPool& pool) {
  linear.bits = static_cast<uint32_t>(std::max(bits, 4));
  linear.weight = {}, linear.packed = {}, linear.zero = {}, linear.shift = {};
  if (linear.bits == 8) {
    std::vector<int16_t> shift(linear.padded_out());
    linear.shifted = 0;
    for (size_t i = 0; i < codes.size(); ++i) {
      const int of_row = zero[i / linear.in];
      if (std::abs(codes[i] - of_row) <= 127) continue;
      shift[i / linear.in] = static_cast<int16_t>(128 - of_row);
      linear.shifted = 1;
    }
    if (linear.shifted) linear.shift = pool.Add(shift);
    std::vector<int8_t> rows(codes.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      const size_t row = i / linear.in;
      rows[i] = static_cast<int8_t>(codes[i] - zero[row] - shift[row]);
    }
    linear.weight = pool.Add(PackPanels(rows, linear.out, linear.in));
    return;
  }
  std::vector<uint8_t> padded = zero;
  padded.resize(linear.padded_out());
  linear.packed = pool.Add(PackWeights(codes, static_cast<int>(linear.bits), linear.in, linear.out));
  linear.zero = pool.Add(padded);
}

}  // namespace intsam::internal
