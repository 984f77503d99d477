// What the GEMMs of the NEON tiers share: unpacking weights, the walk over blocks, and the products of 16-bit
// activations. Only for files of these tiers.
//
// All of them have flip 0x80: an activation is its code minus 128, s8, because SMULL, SDOT and SMMLA take two signed
// operands. A weight is s8 too, -127..127 whatever its width, so s8 panels are used as they lie and packed ones
// expanded a block at a time.
#ifndef INTSAM_KERNELS_GEMM_GEMM_NEON_H_
#define INTSAM_KERNELS_GEMM_GEMM_NEON_H_

#include <algorithm>

#include "kernels/isa/neon.h"
#include "kernels/kernels.h"
#include "kernels/numerics/packed_weights.h"

namespace intsam::internal::neon {

constexpr int kBlockRows = 72;    // callers give strips of about 64 rows; a multiple of every tier's tile
constexpr int kBlockDepth = 768;  // a panel of it (12 KiB) stays in an L1 of 32 KiB beside the rows of a tile

// ---------------------------------------------------------------- weights

// A group, four channels of four k to a vector, whatever form the weights have: code minus zero point, or s8 as it is.
struct Group {
  int8x16_t w[4];
};

template <int kBits>
static inline Group Unpack(const uint8_t* group, const uint8x16_t zero[4]) {
  const uint8x16_t nibble = vdupq_n_u8(15), low = vld1q_u8(group), high = vld1q_u8(group + 16);
  uint8x16_t u[4] = {vandq_u8(low, nibble), vandq_u8(high, nibble), vshrq_n_u8(low, 4), vshrq_n_u8(high, 4)};
  if constexpr (kBits >= 6) {
    const uint8x16_t pairs = vld1q_u8(group + 32), bits45 = vdupq_n_u8(0x30);
    u[0] = vorrq_u8(u[0], vandq_u8(vshlq_n_u8(pairs, 4), bits45));
    u[1] = vorrq_u8(u[1], vandq_u8(vshlq_n_u8(pairs, 2), bits45));
    u[2] = vorrq_u8(u[2], vandq_u8(pairs, bits45));
    u[3] = vorrq_u8(u[3], vandq_u8(vshrq_n_u8(pairs, 2), bits45));
  }
  if constexpr (kBits % 2 != 0) {
    const uint8x8_t half = vld1_u8(group + GroupBytes(kBits - 1));
    const uint8x16_t tops = vcombine_u8(half, half), top = vdupq_n_u8(1 << (kBits - 1));
    uint8x16_t bit = vcombine_u8(vdup_n_u8(1), vdup_n_u8(2));
    for (auto& codes : u) {
      codes = vorrq_u8(codes, vandq_u8(vtstq_u8(tops, bit), top));
      bit = vshlq_n_u8(bit, 2);
    }
  }
  Group g;
  for (int v = 0; v < 4; ++v) g.w[v] = vreinterpretq_s8_u8(vsubq_u8(u[v], zero[v]));
  return g;
}

// Calls out(index of the group, Group) for `groups` groups of a packed panel.
template <int kBits, typename Out>
static inline void ForEachPacked(const uint8_t* panel, const uint8_t* zeros, int groups, Out out) {
  uint8x16_t zero[4];  // each four times, for the four k of a channel
  uint8_t spread[kGroup];
  for (int i = 0; i < kGroup; ++i) spread[i] = zeros[i / 4];
  for (int v = 0; v < 4; ++v) zero[v] = vld1q_u8(spread + 16 * v);
  for (int g = 0; g < groups; ++g, panel += GroupBytes(kBits)) out(g, Unpack<kBits>(panel, zero));
}

template <typename Out>
static inline void ForEachGroup(const uint8_t* panel, const uint8_t* zeros, int bits, int groups, Out out) {
  switch (bits) {
    case 4: return ForEachPacked<4>(panel, zeros, groups, out);
    case 5: return ForEachPacked<5>(panel, zeros, groups, out);
    case 6: return ForEachPacked<6>(panel, zeros, groups, out);
    case 7: return ForEachPacked<7>(panel, zeros, groups, out);
    default:
      for (int g = 0; g < groups; ++g) {
        Group group;
        for (int v = 0; v < 4; ++v) group.w[v] = vreinterpretq_s8_u8(vld1q_u8(panel + kGroup * g + 16 * v));
        out(g, group);
      }
  }
}

static inline void Store(int8_t* out, const Group& group) {
  for (int v = 0; v < 4; ++v) vst1q_s8(out + 16 * v, group.w[v]);
}

// A panel of s8: as it lies, or expanded into `out`.
static inline const int8_t* AsS8(const uint8_t* panel, const uint8_t* zeros, int bits, int groups, int8_t* out) {
  if (bits == 8) return reinterpret_cast<const int8_t*>(panel);
  ForEachGroup(panel, zeros, bits, groups, [&](int g, const Group& group) { Store(out + kGroup * g, group); });
  return out;
}

// ---------------------------------------------------------------- 8-bit activations

// The operands of one tile: rows of activations, `groups` groups of four k of one panel as the tier prepared them, and
// acc = bias + products, plus what acc holds already with `add`.
struct TileArguments {
  const int8_t* a;
  size_t a_stride;  // bytes
  const int8_t* w;
  int groups;
  const int32_t* bias;  // [kPanel]
  bool add;
  int32_t* acc;
  size_t acc_stride;
};

// Four sums of one row to the accumulators, at channel c.
static inline void Finish(const TileArguments& t, int row, int c, int32x4_t sums) {
  int32_t* acc = t.acc + static_cast<size_t>(row) * t.acc_stride + c;
  sums = vaddq_s32(sums, vld1q_s32(t.bias + c));
  vst1q_s32(acc, t.add ? vaddq_s32(sums, vld1q_s32(acc)) : sums);
}

// Walks blocks of rows and depth, panels and tiles. A tier prepares what it multiplies:
//   Tier(const GemmA8W8&)                       chooses how to multiply
//   kRows                                       of a tile
//   Rows(a, stride, rows, depth)                takes a block of activations
//   Panel(panel, zeros, depth, bias)            takes a piece of a panel, may add to the sixteen sums' bias
//   Tile(first, rows, arguments)                computes a tile of the block; a, a_stride and w are its to fill
template <class Tier>
static inline void GemmOfCodes(const GemmA8W8& g) {
  const WeightPanels& w = g.weights;
  const size_t group_bytes = GroupBytes(w.bits), panel_bytes = static_cast<size_t>(g.k / 4) * group_bytes;
  Tier tier(g);
  for (int i0 = 0; i0 < g.m; i0 += kBlockRows) {
    const int rows = std::min(kBlockRows, g.m - i0);
    for (int k0 = 0; k0 < g.k; k0 += kBlockDepth) {
      const int depth = std::min(kBlockDepth, g.k - k0);
      const uint8_t* block = g.a + static_cast<size_t>(i0) * g.a_stride + k0;
      tier.Rows(reinterpret_cast<const int8_t*>(block), g.a_stride, rows, depth);
      const uint8_t* piece = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(k0 / 4) * group_bytes;
      for (int j = 0; j < g.n; j += kPanel, piece += panel_bytes) {
        int32_t bias[kPanel] = {};
        if (k0 == 0) std::copy_n(g.bias + j, kPanel, bias);
        tier.Panel(piece, w.zero + (w.bits == 8 ? 0 : j), depth, bias);
        TileArguments t{};
        t.groups = depth / 4, t.bias = bias, t.add = k0 > 0, t.acc_stride = g.acc_stride;
        for (int i = 0; i < rows; i += Tier::kRows) {
          t.acc = g.acc + static_cast<size_t>(i0 + i) * g.acc_stride + j;
          tier.Tile(i, std::min(Tier::kRows, rows - i), t);
        }
      }
    }
  }
}

// ---------------------------------------------------------------- 16-bit operands

// sums[r][16] = rows of s16 times 16 columns of s16, [depth][w_stride]; depth a multiple of 4.
constexpr int kWideRows = 4;
template <int kRows>
static inline void WideTile(const int16_t* a, size_t a_stride, const int16_t* w, size_t w_stride, int depth,
                            int32x4_t sums[kRows][4]) {
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sums[r][v] = vdupq_n_s32(0);
  }
  for (int k = 0; k < depth; k += 4) {
    int16x4_t x[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) x[r] = vld1_s16(a + static_cast<size_t>(r) * a_stride + k);
    Unrolled<4>([&]<int kLane>() {
      const int16x8_t left = vld1q_s16(w), right = vld1q_s16(w + 8);
      w += w_stride;
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        sums[r][0] = vmlal_lane_s16(sums[r][0], vget_low_s16(left), x[r], kLane);
        sums[r][1] = MulAddHighLane<kLane>(sums[r][1], left, x[r]);
        sums[r][2] = vmlal_lane_s16(sums[r][2], vget_low_s16(right), x[r], kLane);
        sums[r][3] = MulAddHighLane<kLane>(sums[r][3], right, x[r]);
      }
    });
  }
}

}  // namespace intsam::internal::neon

namespace intsam::internal {

// The product of s8 operands (activations after the flip) of the dotprod and i8mm tiers, for their mix.
void DotprodGemmA8W8(const GemmA8W8& g);
void I8mmGemmA8W8(const GemmA8W8& g);

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_GEMM_GEMM_NEON_H_
