// Baseline NEON GEMMs, exact s32 sums. SMULL and SMLAL multiply s8 operands into s16 lanes, one product of each group
// of four k in a lane; SADALP adds pairs of these to s32. How many products a lane holds before that depends on the
// widths of both operands: two of 128 * 127 (one of 128 * 128), sixteen with 6 bits on both sides. Few bits are
// therefore faster, as on AVX2.
//
// Activations of few bits are centred first, because after the flip a 6-bit code is -128..-65: what is missing, the
// shift times the sum of a channel's weights, joins the bias.
#include <algorithm>

#include "kernels/gemm/gemm_neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

// 8 channels: a row needs four s32 and four s16 vectors of sums, beside two of weights.
#if defined(__aarch64__)
constexpr int kTileRows = 3;
#else
constexpr int kTileRows = 1;
#endif
constexpr int kHalfPanel = 8;
constexpr int kCentredRows = 16;  // with fewer rows, sums of weights cost more than they save

// `span` products (kSpan of them where it is not 0) are added in a lane of s16. An operand of the next group is loaded
// as soon as this one's is done with; the last loads are of what follows a row or a panel.
template <int kRows, int kSpan>
void Tile(const TileArguments& t, int span) {
  const int lanes = kSpan == 0 ? span : kSpan;
  for (int c = 0; c < kPanel; c += kHalfPanel) {
    int32x4_t sums[kRows][4];
    int16x8_t products[kRows][4];
    int8x16_t x[kRows];
    const int8_t* a[kRows];
    const int8_t* w = t.w + 4 * c;
    int8x16_t left = vld1q_s8(w), right = vld1q_s8(w + 16);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      a[r] = t.a + static_cast<size_t>(r) * t.a_stride;
      x[r] = NextBroadcast32(a[r]);
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) sums[r][v] = vdupq_n_s32(0);
    }
    const auto step = [&]<bool kFirst>() __attribute__((always_inline)) {
      w += kGroup;
      const auto add = [&](int16x8_t & low, int16x8_t & high, int8x16_t weights, int8x16_t row)
          __attribute__((always_inline)) {
        low = kFirst ? MulLow(weights, row) : MulAddLow(low, weights, row);
        PinBeside(low, weights, row);
        high = kFirst ? MulHigh(weights, row) : MulAddHigh(high, weights, row);
        PinBeside(high, weights, row);
      };
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) add(products[r][0], products[r][1], left, x[r]);
      left = vld1q_s8(w);
      Pin(left);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        add(products[r][2], products[r][3], right, x[r]);
        x[r] = NextBroadcast32(a[r]);
        Pin(x[r]);
      }
      right = vld1q_s8(w + 16);
      Pin(right);
    };
    const auto widen = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) {
          sums[r][v] = vpadalq_s16(sums[r][v], products[r][v]);
          Pin(sums[r][v]);
        }
      }
    };
    int left_over = t.groups;
    for (; left_over >= lanes; left_over -= lanes) {
      step.template operator()<true>();
#pragma GCC unroll 4
      for (int i = 1; i < lanes; ++i) step.template operator()<false>();
      widen();
    }
    if (left_over > 0) {
      step.template operator()<true>();
      for (int i = 1; i < left_over; ++i) step.template operator()<false>();
      widen();
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {  // the halves of a channel's four k lie side by side
      Finish(t, r, c, PairSums(sums[r][0], sums[r][1]));
      Finish(t, r, c + 4, PairSums(sums[r][2], sums[r][3]));
    }
  }
}

using TileOf = void (*)(const TileArguments&, int);
#if defined(__aarch64__)
constexpr TileOf kBySpan[3][kTileRows] = {
    {Tile<1, 2>, Tile<2, 2>, Tile<3, 2>}, {Tile<1, 4>, Tile<2, 4>, Tile<3, 4>}, {Tile<1, 0>, Tile<2, 0>, Tile<3, 0>}};
#else
constexpr TileOf kBySpan[3][kTileRows] = {{Tile<1, 2>}, {Tile<1, 4>}, {Tile<1, 0>}};
#endif

// Index into kBySpan: the last entry takes any span.
int SpanClass(int span) { return span < 2 ? 2 : span < 4 ? 0 : span < 8 ? 1 : 2; }

class NeonTier {
 public:
  static constexpr int kRows = kTileRows;

  explicit NeonTier(const GemmA8W8& g) : bits_(g.weights.bits) {
    const int w_max = bits_ == 8 ? g.weights.max_abs : (1 << bits_) - 1;
    const auto span = [&](int centre) { return INT16_MAX / std::max(std::max(centre, g.a_max - centre) * w_max, 1); };
    const int centre = (g.a_max + 1) / 2;
    if (g.m >= kCentredRows && SpanClass(span(centre)) > SpanClass(span(centre_))) centre_ = centre;
    span_ = span(centre_);
    tiles_ = kBySpan[SpanClass(span_)];
  }

  void Rows(const int8_t* a, size_t stride, int rows, int depth) {
    rows_ = a, stride_ = stride;
    if (centre_ == 128) return;
    const int8x16_t shift = vdupq_n_s8(static_cast<int8_t>(128 - centre_));
    for (int r = 0; r < rows; ++r) {
      int8_t* out = centred_ + r * kBlockDepth;
      for (int k = 0; k < depth; k += 16)
        vst1q_s8(out + k, vaddq_s8(vld1q_s8(a + static_cast<size_t>(r) * stride + k), shift));
    }
    rows_ = centred_, stride_ = kBlockDepth;
  }

  void Panel(const uint8_t* panel, const uint8_t* zeros, int depth, int32_t* bias) {
    if (centre_ == 128) {
      w_ = AsS8(panel, zeros, bits_, depth / 4, expanded_);
      return;
    }
    int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    ForEachGroup(panel, zeros, bits_, depth / 4, [&](int g, const Group& group) {
      if (bits_ < 8) Store(expanded_ + kGroup * g, group);
      for (int v = 0; v < 4; ++v) sums[v] = vpadalq_s16(sums[v], vpaddlq_s8(group.w[v]));
    });
    for (int v = 0; v < 4; ++v) {
      vst1q_s32(bias + 4 * v, vmlaq_n_s32(vld1q_s32(bias + 4 * v), sums[v], centre_ - 128));
    }
    w_ = bits_ == 8 ? reinterpret_cast<const int8_t*>(panel) : expanded_;
  }

  void Tile(int first, int rows, TileArguments& t) const {
    t.a = rows_ + static_cast<size_t>(first) * stride_, t.a_stride = stride_, t.w = w_;
    tiles_[rows - 1](t, span_);
  }

 private:
  int bits_, centre_ = 128, span_ = 0;
  const TileOf* tiles_;
  const int8_t* rows_ = nullptr;
  size_t stride_ = 0;
  const int8_t* w_ = nullptr;
  alignas(64) int8_t expanded_[kBlockDepth * kPanel + kPadBytes];
  alignas(64) int8_t centred_[kBlockRows * kBlockDepth + kPadBytes];
};

// ---------------------------------------------------------------- 16-bit activations

constexpr int kWideDepth = 256;

// `groups` groups of a panel to s16, [k][16].
void WidenPanel(const uint8_t* panel, const uint8_t* zeros, int bits, int groups, int16_t* out) {
  ForEachGroup(panel, zeros, bits, groups, [&](int g, const Group& group) {
    int8_t bytes[kGroup];
    Store(bytes, group);
    const int8x16x4_t w = vld4q_s8(bytes);  // a vector of sixteen channels for each k
    for (int k = 0; k < 4; ++k) {
      vst1q_s16(out + (4 * g + k) * kPanel, vmovl_s8(vget_low_s8(w.val[k])));
      vst1q_s16(out + (4 * g + k) * kPanel + 8, vmovl_s8(vget_high_s8(w.val[k])));
    }
  });
}

template <int kRows>
void WideRows(const int16_t* a, size_t a_stride, const int16_t* w, const TileArguments& t) {
  int32x4_t sums[kRows][4];
  WideTile<kRows>(a, a_stride, w, kPanel, 4 * t.groups, sums);
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < 4; ++v) Finish(t, r, 4 * v, sums[r][v]);
  }
}
constexpr decltype(&WideRows<1>) kWideTiles[kWideRows] = {WideRows<1>, WideRows<2>, WideRows<3>, WideRows<4>};

void NeonGemmA16W8(const GemmA16W8& g) {
  const WeightPanels& w = g.weights;
  const size_t group_bytes = GroupBytes(w.bits), panel_bytes = static_cast<size_t>(g.k / 4) * group_bytes;
  alignas(64) int16_t wide[kWideDepth * kPanel];
  for (int k0 = 0; k0 < g.k; k0 += kWideDepth) {
    const int depth = std::min(kWideDepth, g.k - k0);
    const uint8_t* piece = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(k0 / 4) * group_bytes;
    for (int j = 0; j < g.n; j += kPanel, piece += panel_bytes) {
      WidenPanel(piece, w.zero + (w.bits == 8 ? 0 : j), w.bits, depth / 4, wide);
      int32_t bias[kPanel] = {};
      if (k0 == 0) std::copy_n(g.bias + j, kPanel, bias);
      TileArguments t{};
      t.groups = depth / 4, t.bias = bias, t.add = k0 > 0, t.acc_stride = g.acc_stride;
      for (int i = 0; i < g.m; i += kWideRows) {
        t.acc = g.acc + static_cast<size_t>(i) * g.acc_stride + j;
        kWideTiles[std::min(kWideRows, g.m - i) - 1](g.a + static_cast<size_t>(i) * g.a_stride + k0, g.a_stride, wide,
                                                     t);
      }
    }
  }
}

}  // namespace

void FillGemmNeon(Kernels& k) {
  k.gemm_a8w8 = GemmOfCodes<NeonTier>;
  k.gemm_a16w8 = NeonGemmA16W8;
}

}  // namespace intsam::internal
