// SIMD128 GEMMs for engines on x86: i32x4.dot_i16x8_s, which is PMADDWD there, multiplies pairs of s16 and adds the two
// products. Weights are widened a block at a time and serve all of its rows, 8-bit activations once per block. The
// products of bytes that the NEON sources use are no instruction of x86: an engine widens their operands each time. On
// ARM it is the other way round: they are one instruction, and a product of pairs is three.
#include <algorithm>

#include "kernels/gemm/gemm_neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

constexpr int kTileRows = 2;  // eight vectors of sums: with twelve, engines keep some of them in memory
constexpr int kBlockRows = 72;
constexpr int kBlockDepth = 512;  // a widened panel of it (16 KiB) stays in L1 beside the rows of a tile

// `groups` groups of a panel to pairs of s16, [k/2][16][2].
void WidenPanel(const uint8_t* panel, const uint8_t* zeros, int bits, int groups, int16_t* out) {
  ForEachGroup(panel, zeros, bits, groups, [&](int g, const Group& group) {
    int16_t* pairs = out + kGroup * g;
    for (int v = 0; v < 4; ++v) {  // four channels of four k
      const v128_t w = (v128_t)group.w[v];
      const v128_t left = wasm_i16x8_extend_low_i8x16(w), right = wasm_i16x8_extend_high_i8x16(w);
      wasm_v128_store(pairs + 8 * v, wasm_i32x4_shuffle(left, right, 0, 2, 4, 6));
      wasm_v128_store(pairs + kPanel * 2 + 8 * v, wasm_i32x4_shuffle(left, right, 1, 3, 5, 7));
    }
  });
}

// The operands of one panel and a block of rows: rows of s16 and `pairs` pairs of k of the widened panel; acc = bias +
// products, plus what acc holds already with `add`.
struct PairArguments {
  int rows;
  const int16_t* a;
  size_t a_stride;
  const int16_t* w;
  int pairs;
  const int32_t* bias;  // [kPanel]
  bool add;
  int32_t* acc;
  size_t acc_stride;
};

// Rows i to i + kRows.
template <int kRows>
inline void PairTile(const PairArguments& t, int i) {
  const int16_t* a = t.a + static_cast<size_t>(i) * t.a_stride;
  const int16_t* w = t.w;
  int32_t* acc = t.acc + static_cast<size_t>(i) * t.acc_stride;
  v128_t sums[kRows][4];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < 4; ++v) sums[r][v] = wasm_v128_load(t.bias + 4 * v);
  }
  for (int p = 0; p < t.pairs; ++p, a += 2, w += 2 * kPanel) {
    v128_t x[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) x[r] = wasm_v128_load32_splat(a + static_cast<size_t>(r) * t.a_stride);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const v128_t weights = wasm_v128_load(w + 8 * v);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) sums[r][v] = wasm_i32x4_add(sums[r][v], wasm_i32x4_dot_i16x8(x[r], weights));
    }
  }
  for (int r = 0; r < kRows; ++r, acc += t.acc_stride) {
    if (t.add) {
      for (int v = 0; v < 4; ++v) sums[r][v] = wasm_i32x4_add(sums[r][v], wasm_v128_load(acc + 4 * v));
    }
    for (int v = 0; v < 4; ++v) wasm_v128_store(acc + 4 * v, sums[r][v]);
  }
}

void PairRows(const PairArguments t) {  // a copy: its fields stay in registers while sums are stored
  int i = 0;
  for (; i + kTileRows <= t.rows; i += kTileRows) PairTile<kTileRows>(t, i);
  for (; i < t.rows; ++i) PairTile<1>(t, i);
}

// Gemm is GemmA8W8 or GemmA16W8. `rows_of(i, rows, k, depth)` gives a block of rows as s16, and their stride.
template <class Gemm, class RowsOf>
void PairGemm(const Gemm& g, RowsOf rows_of) {
  const WeightPanels& w = g.weights;
  const size_t group_bytes = GroupBytes(w.bits), panel_bytes = static_cast<size_t>(g.k / 4) * group_bytes;
  alignas(64) int16_t wide[kBlockDepth * kPanel];
  for (int i0 = 0; i0 < g.m; i0 += kBlockRows) {
    const int rows = std::min(kBlockRows, g.m - i0);
    for (int k0 = 0; k0 < g.k; k0 += kBlockDepth) {
      const int depth = std::min(kBlockDepth, g.k - k0);
      const auto [a, a_stride] = rows_of(i0, rows, k0, depth);
      const uint8_t* piece = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(k0 / 4) * group_bytes;
      for (int j = 0; j < g.n; j += kPanel, piece += panel_bytes) {
        static constexpr int32_t kNoBias[kPanel] = {};
        WidenPanel(piece, w.zero + (w.bits == 8 ? 0 : j), w.bits, depth / 4, wide);
        PairRows({rows, a, a_stride, wide, depth / 2, k0 == 0 ? g.bias + j : kNoBias, k0 > 0,
                  g.acc + static_cast<size_t>(i0) * g.acc_stride + j, g.acc_stride});
      }
    }
  }
}

struct Rows16 {
  const int16_t* a;
  size_t stride;
};

void DotGemmA8W8(const GemmA8W8& g) {
  alignas(64) int16_t wide[kBlockRows * kBlockDepth];
  PairGemm(g, [&](int i, int rows, int k, int depth) {
    for (int r = 0; r < rows; ++r) {
      const uint8_t* a = g.a + static_cast<size_t>(i + r) * g.a_stride + k;
      int16_t* out = wide + r * kBlockDepth;
      for (int c = 0; c < depth; c += 8) wasm_v128_store(out + c, wasm_i16x8_load8x8(a + c));
    }
    return Rows16{wide, kBlockDepth};
  });
}

void DotGemmA16W8(const GemmA16W8& g) {
  PairGemm(g, [&](int i, int, int k, int) {
    return Rows16{g.a + static_cast<size_t>(i) * g.a_stride + k, g.a_stride};
  });
}

}  // namespace

void FillGemmSimd128dot(Kernels& k) {
  k.gemm_a8w8 = DotGemmA8W8;
  k.gemm_a16w8 = DotGemmA16W8;
}

}  // namespace intsam::internal
