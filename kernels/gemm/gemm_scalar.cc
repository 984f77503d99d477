// The normative integer matrix products (docs/numerics.md, section 3): exact s32 sums, so neither the order of the
// additions nor the blocking below is part of the definition.
//
// Four rows share each panel, whose groups, s8 or packed, are spread to s16 once per block; the inner loops then run
// over 16 adjacent channels, which any compiler turns into vector code.
#include <algorithm>

#include "kernels/numerics/packed_weights.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

constexpr int kRows = 4;

// One K/4 step of a panel, the four k apart.
struct Spread {
  int16_t w[4][kPanel];
};

Spread SpreadGroup(const uint8_t* group, const uint8_t* zero, int bits) {
  Spread s;
  if (bits == 8) {
    for (int t = 0; t < 4; ++t) {
      for (int c = 0; c < kPanel; ++c) s.w[t][c] = static_cast<int8_t>(group[4 * c + t]);
    }
    return s;
  }
  const GroupCodes codes = UnpackGroup(group, bits);
  for (int t = 0; t < 4; ++t) {
    for (int c = 0; c < kPanel; ++c) s.w[t][c] = static_cast<int16_t>(codes[static_cast<size_t>(4 * c + t)] - zero[c]);
  }
  return s;
}

// One block of up to kRows rows times one panel, into acc[rows][kPanel].
template <class Activation>
void MultiplyPanel(const Activation* a, size_t a_stride, int rows, int k, const uint8_t* panel, const uint8_t* zero,
                   int bits, const int32_t* bias, int32_t* acc, size_t acc_stride) {
  int32_t sum[kRows][kPanel];
  for (int r = 0; r < rows; ++r) std::copy_n(bias, kPanel, sum[r]);
  for (int k0 = 0; k0 < k; k0 += 4, panel += GroupBytes(bits)) {
    const Spread s = SpreadGroup(panel, zero, bits);
    for (int r = 0; r < rows; ++r) {
      for (int t = 0; t < 4; ++t) {
        const int32_t x = a[static_cast<size_t>(r) * a_stride + static_cast<size_t>(k0 + t)];
        for (int c = 0; c < kPanel; ++c) sum[r][c] += x * s.w[t][c];
      }
    }
  }
  for (int r = 0; r < rows; ++r) std::copy_n(sum[r], kPanel, acc + static_cast<size_t>(r) * acc_stride);
}

template <class Arguments>
void Gemm(const Arguments& g) {
  const WeightPanels& w = g.weights;
  const size_t panel_bytes = static_cast<size_t>(g.k / 4) * GroupBytes(w.bits);
  for (int n0 = 0; n0 < g.n; n0 += kPanel) {
    const uint8_t* panel = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(n0 / kPanel) * panel_bytes;
    const uint8_t* zero = w.bits == 8 ? nullptr : w.zero + n0;
    for (int m0 = 0; m0 < g.m; m0 += kRows) {
      const size_t row = static_cast<size_t>(m0);
      MultiplyPanel(g.a + row * g.a_stride, g.a_stride, std::min(kRows, g.m - m0), g.k, panel, zero, w.bits,
                    g.bias + n0, g.acc + row * g.acc_stride + n0, g.acc_stride);
    }
  }
}

// The scalar tier has flip 0x00: the operand bytes are plain u8.
void ScalarGemmA8W8(const GemmA8W8& g) { Gemm(g); }
void ScalarGemmA16W8(const GemmA16W8& g) { Gemm(g); }

}  // namespace

void FillGemmScalar(Kernels& k) {
  k.gemm_a8w8 = ScalarGemmA8W8;
  k.gemm_a16w8 = ScalarGemmA16W8;
  k.row_block = 64;  // of SAM-B's hidden codes 192 KiB
}

}  // namespace intsam::internal
