// NEON attention around the two products (docs/numerics.md, sections 6 and 7): packing, the exact mix by SMLAL, the
// output codes, relative positions. The softmax between them is softmax_neon.cc.
#include <algorithm>

#include "kernels/gemm/gemm_neon.h"
#include "kernels/nn/mix_codes_neon.h"
#include "kernels/numerics/softmax.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

// ---------------------------------------------------------------- packing

// Sixteen columns of four rows, to their places in four groups.
void Transpose(const int8_t* const rows[4], int c, int8_t* out) {
  const auto load = [&](int r) { return vreinterpretq_s32_s8(vld1q_s8(rows[r] + c)); };
  const int32x4x2_t ab = vtrnq_s32(load(0), load(1)), ef = vtrnq_s32(load(2), load(3));
  const auto store = [&](int group, int32x2_t left, int32x2_t right) {
    vst1q_s8(out + kGroup * group, vreinterpretq_s8_s32(vcombine_s32(left, right)));
  };
  store(0, vget_low_s32(ab.val[0]), vget_low_s32(ef.val[0]));
  store(1, vget_low_s32(ab.val[1]), vget_low_s32(ef.val[1]));
  store(2, vget_high_s32(ab.val[0]), vget_high_s32(ef.val[0]));
  store(3, vget_high_s32(ab.val[1]), vget_high_s32(ef.val[1]));
}

void NeonPackKeys(const PackKeys& p) {
  int8_t* out = p.panels;
  for (int j0 = 0; j0 < p.count; j0 += kPanel) {
    const int8_t* rows[kPanel];
    for (int r = 0; r < kPanel; ++r) rows[r] = p.k + static_cast<size_t>(std::min(j0 + r, p.count - 1)) * p.stride;
    int8_t* const panel = out;
    int c = 0;
    for (; c + 16 <= p.d; c += 16, out += 4 * kGroup) {
      for (int r = 0; r < kPanel; r += 4) Transpose(rows + r, c, out + 4 * r);
    }
    for (; c < p.d; c += 4, out += kGroup) {
      for (int r = 0; r < kPanel; ++r) std::memcpy(out + 4 * r, rows[r] + c, 4);
    }
    const int keys = std::min(kPanel, p.count - j0);
    int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int8_t* group = panel; group < out; group += kGroup) {
      // The last row was repeated in place of the padding.
      if (keys < kPanel) std::memset(group + 4 * keys, 0, static_cast<size_t>(4 * (kPanel - keys)));
      for (int v = 0; v < 4; ++v) sums[v] = vpadalq_s16(sums[v], vpaddlq_s8(vld1q_s8(group + 16 * v)));
    }
    for (int v = 0; v < 4; ++v) vst1q_s32(p.column_sums + j0 + 4 * v, sums[v]);
  }
}

// ---------------------------------------------------------------- mix

constexpr int kMixKeys = 512;  // keys whose products fit an s32 sum
static_assert(int64_t{kMixKeys} * 32767 * 128 <= INT32_MAX);

// 16 columns of kRows rows; `columns` of the 16 exist.
template <int kRows>
void MixTile(const AttentionMix& m, int row, int key, int keys, int column) {
  const size_t d = static_cast<size_t>(m.d);
  int32x4_t sums[kRows][4];
  // Probabilities are below 2^15.
  const int16_t* prob = reinterpret_cast<const int16_t*>(m.prob) + static_cast<size_t>(row) * m.prob_stride + key;
  WideTile<kRows>(prob, m.prob_stride, m.values + static_cast<size_t>(key) * d + column, d, keys, sums);
  for (int r = 0; r < kRows; ++r) {
    int32_t lanes[kPanel];
    for (int v = 0; v < 4; ++v) vst1q_s32(lanes + 4 * v, sums[r][v]);
    int64_t* out = m.out + static_cast<size_t>(row + r) * d + column;
    const int columns = std::min(kPanel, m.d - column);
    for (int c = 0; c < columns; ++c) out[c] = lanes[c] + (key == 0 ? 0 : out[c]);
  }
}
constexpr decltype(&MixTile<1>) kMixTiles[kWideRows] = {MixTile<1>, MixTile<2>, MixTile<3>, MixTile<4>};

// ---------------------------------------------------------------- output codes

void NeonAttentionOutput(const AttentionOutput& a) {
  const CodeRange range = MakeCodeRange(a.lo + a.zero, a.hi + a.zero, a.flip);
  const int32x4_t lo = vdupq_n_s32(a.lo), hi = vdupq_n_s32(a.hi), zero = vdupq_n_s32(a.zero);
  for (int i = 0; i < a.rows; ++i) {
    const AttentionDivisor scale = a.sum == nullptr
                                       ? AttentionDivisor{a.mult, a.pre_shift, a.shift}
                                       : AttentionDivisorOf(static_cast<uint32_t>(a.sum[i]), a.mult, a.shift);
    const Right64 before = MakeRight64(scale.pre_shift), after = MakeRight64(std::min(scale.shift, 62));
    const int32x4_t mult = vdupq_n_s32(static_cast<int32_t>(scale.reciprocal));
    const int64_t* n = a.n + static_cast<size_t>(i) * static_cast<size_t>(a.d);
    uint8_t* out = a.out + static_cast<size_t>(i) * a.out_stride;
    // |RSH(N, pre)| < 2^31; what leaves s32 after the product saturates, far beyond lo and hi.
    const auto values = [&](int c) {
      const int32x4_t n1 = Pack32(RoundingShift(vld1q_s64(n + c), before), RoundingShift(vld1q_s64(n + c + 2), before));
      const int32x4_t y =
          PackSaturated32(RoundingShift(MulLow(n1, mult), after), RoundingShift(MulHigh(n1, mult), after));
      return vaddq_s32(Clamp32(y, lo, hi), zero);
    };
    ForEachVector<8>(a.d, [&](int c, int count) {
      const int16x8_t codes = Pack16(values(c), values(c + 4));
      StoreFirst(out + c, vget_low_u8(CodesOf(codes, codes, range)), count);
    });
  }
}

// ---------------------------------------------------------------- relative positions

// Sixteen positions at a time, whose pairs of values are taken apart as they are loaded.
void NeonRelativePosition(const RelativePosition& p) {
  const Rq32Lanes rq = MakeRq32Lanes(p.mult, p.shift);
  const size_t step = 2 * static_cast<size_t>(p.positions);
  for (int i = 0; i < p.rows; ++i) {
    const int8_t* q = p.q + static_cast<size_t>(i) * p.q_stride;
    int32_t* out = p.out + static_cast<size_t>(i) * p.out_stride;
    for (int t = 0; t < p.count; t += 16) {
      const int at = p.first + i * p.step + t;
      const int16_t* pairs = p.pairs + 2 * at;
      int32x4_t sums[4];
      for (int v = 0; v < 4; ++v) sums[v] = vld1q_s32(p.bias + at + 4 * v);
      for (int c = 0; c < p.d; c += 2, pairs += step) {
        const int16x8_t even = vdupq_n_s16(q[c]), odd = vdupq_n_s16(q[c + 1]);
        const int16x8x2_t left = vld2q_s16(pairs), right = vld2q_s16(pairs + 16);
        sums[0] = MulAddLow(MulAddLow(sums[0], left.val[0], even), left.val[1], odd);
        sums[1] = MulAddHigh(MulAddHigh(sums[1], left.val[0], even), left.val[1], odd);
        sums[2] = MulAddLow(MulAddLow(sums[2], right.val[0], even), right.val[1], odd);
        sums[3] = MulAddHigh(MulAddHigh(sums[3], right.val[0], even), right.val[1], odd);
      }
      for (int v = 0; v < 4 && t + 4 * v < p.count; ++v) {
        StoreFirst(out + t + 4 * v, Apply(rq, sums[v]), std::min(4, p.count - t - 4 * v));
      }
    }
  }
}

}  // namespace

// s16, a key after the other.
void NeonPackValues(const PackValues& p) {
  const size_t d = static_cast<size_t>(p.d);
  for (int j = 0; j < p.count; ++j) {
    const int8_t* v = p.v + static_cast<size_t>(j) * p.stride;
    int16_t* out = p.values + static_cast<size_t>(j) * d;
    ForEachVector<8>(p.d, [&](int c, int count) { StoreFirst(out + c, vmovl_s8(vld1_s8(v + c)), count); });
  }
  std::fill(p.values + static_cast<size_t>(p.count) * d, p.values + static_cast<size_t>(RoundUp(p.count, kPanel)) * d,
            int16_t{0});
}

void NeonAttentionMix(const AttentionMix& m) {
  const int padded = RoundUp(m.count, kPanel);
  for (int j = 0; j < padded; j += kMixKeys) {
    const int keys = std::min(kMixKeys, padded - j);
    for (int c = 0; c < m.d; c += kPanel) {
      for (int i = 0; i < m.rows; i += kWideRows) kMixTiles[std::min(kWideRows, m.rows - i) - 1](m, i, j, keys, c);
    }
  }
}

void FillAttentionNeon(Kernels& k) {
  k.pack_keys = NeonPackKeys;
  k.pack_values = NeonPackValues;
  k.attention_mix = NeonAttentionMix;
  k.attention_output = NeonAttentionOutput;
  k.relative_position = NeonRelativePosition;
}

}  // namespace intsam::internal
