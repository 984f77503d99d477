// GEMMs of 8-bit operands by SMMLA: eight k of two rows against eight k of two channels, four s32 sums. Rows are laid
// side by side in pairs, once per block; the groups of a panel likewise, eight k of two channels to a vector.
#include "kernels/gemm/gemm_neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

// 3 pairs of rows x 8 pairs of channels fill 24 of the 32 registers with sums.
constexpr int kTileRows = 6;
constexpr int kPairs = kPanel / 2;  // of channels in a panel
constexpr int kStep = 8;            // k

// The operands of the tile: pairs of rows [k / 8][2][8], `stride` bytes apart, and weights [k / 8][kPairs][2][8].
// Operands are loaded as soon as those before them are done with, and several in a row, which in-order cores do faster
// than one between every few products; the last loads are of what follows.
template <int kRowPairs>
void Tile(const TileArguments& t, int rows) {
  constexpr int kAhead = 4;  // vectors of weights
  int32x4_t sums[kRowPairs][kPairs];
  int8x16_t x[kRowPairs], weights[kAhead];
  const int8_t *a = t.a, *w = t.w;
#pragma GCC unroll 4
  for (int p = 0; p < kAhead; ++p) weights[p] = vld1q_s8(w + 2 * kStep * p);
#pragma GCC unroll 4
  for (int r = 0; r < kRowPairs; ++r) {
    x[r] = vld1q_s8(a + static_cast<size_t>(r) * t.a_stride);
#pragma GCC unroll 8
    for (int p = 0; p < kPairs; ++p) sums[r][p] = vdupq_n_s32(0);
  }
  for (int step = (t.groups + 1) / 2; step > 0; --step) {
#pragma GCC unroll 8
    for (int p = 0; p < kPairs; ++p) {
#pragma GCC unroll 4
      for (int r = 0; r < kRowPairs; ++r) {
        sums[r][p] = vmmlaq_s32(sums[r][p], x[r], weights[p % kAhead]);
        Pin(sums[r][p]);
      }
      if (p == kPairs - 1) {
        a += 2 * kStep;
        w += kPanel * kStep;
        PinAddress(w);
#pragma GCC unroll 4
        for (int r = 0; r < kRowPairs; ++r) {
          x[r] = vld1q_s8(a + static_cast<size_t>(r) * t.a_stride);
          Pin(x[r]);
        }
      }
      if (p % kAhead == kAhead - 1) {
#pragma GCC unroll 4
        for (int i = 0; i < kAhead; ++i) {
          weights[i] = vld1q_s8(w + 2 * kStep * ((p + 1) % kPairs + i));
          Pin(weights[i]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRowPairs; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPairs; p += 2) {
      Finish(t, 2 * r, 2 * p, vcombine_s32(vget_low_s32(sums[r][p]), vget_low_s32(sums[r][p + 1])));
      if (2 * r + 1 == rows) continue;
      Finish(t, 2 * r + 1, 2 * p, vcombine_s32(vget_high_s32(sums[r][p]), vget_high_s32(sums[r][p + 1])));
    }
  }
}

constexpr decltype(&Tile<1>) kTiles[kTileRows / 2] = {Tile<1>, Tile<2>, Tile<3>};

class I8mmTier {
 public:
  static constexpr int kRows = kTileRows;

  explicit I8mmTier(const GemmA8W8& g) : bits_(g.weights.bits) {}

  // Of a last half step, the other half meets weights that are zero; so does the row that an odd last one is paired
  // with, itself.
  void Rows(const int8_t* a, size_t stride, int rows, int depth) {
    for (int r = 0; r < rows; r += 2) {
      const int8_t* even = a + static_cast<size_t>(r) * stride;
      const int8_t* odd = r + 1 < rows ? even + stride : even;
      int8_t* out = rows_ + r * kBlockDepth;
      for (int k = 0; k < depth; k += kStep, out += 2 * kStep) {
        vst1q_s8(out, vcombine_s8(vld1_s8(even + k), vld1_s8(odd + k)));
      }
    }
  }

  void Panel(const uint8_t* panel, const uint8_t* zeros, int depth, int32_t*) {
    int32x4_t front[4] = {};  // four k of four channels each
    ForEachGroup(panel, zeros, bits_, depth / 4, [&](int g, const Group& group) {
      int8_t* out = w_ + g / 2 * kPanel * kStep;
      const bool last = g + 1 == depth / 4;
      for (int v = 0; v < 4; ++v) {
        const int32x4_t now = vreinterpretq_s32_s8(group.w[v]);
        if (g % 2 == 0) front[v] = now;
        if (g % 2 == 0 && !last) continue;
        const int32x4_t back = g % 2 == 0 ? vdupq_n_s32(0) : now;
        vst1q_s8(out + 32 * v, vreinterpretq_s8_s32(vzip1q_s32(front[v], back)));
        vst1q_s8(out + 32 * v + 16, vreinterpretq_s8_s32(vzip2q_s32(front[v], back)));
      }
    });
  }

  void Tile(int first, int rows, TileArguments& t) const {
    t.a = rows_ + first * kBlockDepth, t.a_stride = 2 * kBlockDepth, t.w = w_;
    kTiles[(rows - 1) / 2](t, rows);
  }

 private:
  int bits_;
  alignas(64) int8_t rows_[kBlockRows * kBlockDepth + kPadBytes];
  alignas(64) int8_t w_[kBlockDepth * kPanel + kPadBytes];
};

}  // namespace

void I8mmGemmA8W8(const GemmA8W8& g) { GemmOfCodes<I8mmTier>(g); }

void FillGemmI8mm(Kernels& k) { k.gemm_a8w8 = I8mmGemmA8W8; }

}  // namespace intsam::internal
