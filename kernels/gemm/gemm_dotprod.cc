// GEMMs of 8-bit operands by SDOT: a row's four k, one lane of a register, against four k of four channels, s32 sums
// without an intermediate that could saturate. Panels are used as they lie.
#include "kernels/gemm/gemm_neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

// 6 x 16 sums fill 24 of the 32 registers, which covers the latency of SDOT on cores that issue four a cycle.
constexpr int kTileRows = 6;

// An operand of the next step is loaded as soon as this one's is done with; the last loads are of what follows a row or
// a panel.
template <int kRows>
void Tile(const TileArguments& t) {
  int32x4_t sums[kRows][4];
  int8x8_t x[kRows];
  const int8_t *a[kRows], *w = t.w;
  size_t k = 0;
  int8x16_t weights[2] = {vld1q_s8(w), vld1q_s8(w + 16)};
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    a[r] = t.a + static_cast<size_t>(r) * t.a_stride;
    x[r] = vld1_s8(a[r]);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sums[r][v] = vdupq_n_s32(0);
  }
  // One lane of every row's x times the four vectors of a group.
  const auto step = [&]<int kLane, bool kLast>() __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        sums[r][v] = vdotq_lane_s32(sums[r][v], weights[v % 2], x[r], kLane);
        Pin(sums[r][v]);
        if (kLast && v == 3) {
          x[r] = vld1_s8(a[r] + k);
          Pin(x[r]);
        }
      }
      weights[v % 2] = vld1q_s8(w + 32 + 16 * v);
      Pin(weights[v % 2]);
    }
    w += kGroup;
  };
  for (int left_over = t.groups / 2; left_over > 0; --left_over) {
    k += 8;
    PinAddress(k);
    step.template operator()<0, false>();
    step.template operator()<1, true>();
  }
  if (t.groups % 2 != 0) step.template operator()<0, false>();
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) Finish(t, r, 4 * v, sums[r][v]);
  }
}

constexpr decltype(&Tile<1>) kTiles[kTileRows] = {Tile<1>, Tile<2>, Tile<3>, Tile<4>, Tile<5>, Tile<6>};

class DotprodTier {
 public:
  static constexpr int kRows = kTileRows;

  explicit DotprodTier(const GemmA8W8& g) : bits_(g.weights.bits) {}

  void Rows(const int8_t* a, size_t stride, int, int) { rows_ = a, stride_ = stride; }
  void Panel(const uint8_t* panel, const uint8_t* zeros, int depth, int32_t*) {
    w_ = AsS8(panel, zeros, bits_, depth / 4, expanded_);
  }
  void Tile(int first, int rows, TileArguments& t) const {
    t.a = rows_ + static_cast<size_t>(first) * stride_, t.a_stride = stride_, t.w = w_;
    kTiles[rows - 1](t);
  }

 private:
  int bits_;
  const int8_t* rows_ = nullptr;
  size_t stride_ = 0;
  const int8_t* w_ = nullptr;
  alignas(64) int8_t expanded_[kBlockDepth * kPanel + kPadBytes];
};

}  // namespace

void DotprodGemmA8W8(const GemmA8W8& g) { GemmOfCodes<DotprodTier>(g); }

void FillGemmDotprod(Kernels& k) { k.gemm_a8w8 = DotprodGemmA8W8; }

}  // namespace intsam::internal
