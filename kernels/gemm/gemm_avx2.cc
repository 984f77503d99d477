// AVX2 GEMMs: 8-bit or 16-bit activations against panels of s8 or packed weights, exact s32 sums.
//
// This file takes operands of any range; those of few bits go to gemm_avx2_narrow.cc. Both operands are widened to s16
// in small blocks and multiplied by VPMADDWD. The sign trick (VPSIGNB, VPMADDUBSW, VPMADDWD, VPADDD) issues as many
// operations per 32 products but three instead of two on the multiplier ports; measured on Zen 3 the inner loops reach
// 80 and 74 GMAC/s. Widening is paid once per block, serves 16-bit activations as well and excludes no weight; packed
// weights cost a few shifts more in it. Within a group of four k the pairs are (k0, k2) and (k1, k3), which take only
// shifts to widen.
#include <algorithm>

#include "kernels/gemm/gemm_avx2.h"
#include "kernels/tiers.h"

namespace intsam {
namespace {

using namespace avx2;

constexpr int kTileRows = 6;                 // 6 x 16 accumulators fill 12 of the 16 registers
constexpr int kBlockRows = 11 * kTileRows;   // callers give strips of about 64 rows
constexpr int kBlockDepth = 384;             // a widened panel (12 KiB) and a tile of rows stay in L1
constexpr int kRowStride = kBlockDepth + 8;  // s16; the 16 bytes keep the rows of a tile out of each other's L1 bank

// 62 KiB on the stack: kernels do not allocate.
struct Scratch {
  alignas(64) int16_t weights[kBlockDepth * kPanel];  // [k/4][pairs (k0,k2), pairs (k1,k3)][16][2]
  alignas(64) int16_t rows[kBlockRows * kRowStride];  // [row][k/4][(k0,k2), (k1,k3)]
};

// Widens `depth` k of one s8 panel.
void WidenPanel(const uint8_t* panel, int depth, int16_t* out) {
  for (int i = 0; i < depth * kPanel; i += 64) {
    const __m256i left = Load(panel + i);
    const __m256i right = Load(panel + i + 32);
    Store(out + i, _mm256_srai_epi16(_mm256_slli_epi16(left, 8), 8));
    Store(out + i + 16, _mm256_srai_epi16(_mm256_slli_epi16(right, 8), 8));
    Store(out + i + 32, _mm256_srai_epi16(left, 8));
    Store(out + i + 48, _mm256_srai_epi16(right, 8));
  }
}

// Expands `depth` k of one packed panel.
template <int kBits>
void ExpandPanel(const uint8_t* panel, const uint8_t* zero, int depth, int16_t* out) {
  const __m128i zeros = LoadHalf(zero);  // each twice, for the two k of a pair
  const __m256i zero_left = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(zeros, zeros));
  const __m256i zero_right = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(zeros, zeros));
  const __m256i even = _mm256_set1_epi16(0xFF);
  for (int i = 0; i < depth * kPanel; i += kGroup, panel += GroupBytes(kBits)) {
    const CodesOfGroup u = Unpack<kBits>(panel);
    Store(out + i, _mm256_sub_epi16(_mm256_and_si256(u.left, even), zero_left));
    Store(out + i + 16, _mm256_sub_epi16(_mm256_and_si256(u.right, even), zero_right));
    Store(out + i + 32, _mm256_sub_epi16(_mm256_srli_epi16(u.left, 8), zero_left));
    Store(out + i + 48, _mm256_sub_epi16(_mm256_srli_epi16(u.right, 8), zero_right));
  }
}

// `depth` k of one panel to s16; `zero`: of its channels, not read with 8 bits.
void ToScratch(const uint8_t* panel, const uint8_t* zero, int bits, int depth, int16_t* out) {
  switch (bits) {
    case 4: return ExpandPanel<4>(panel, zero, depth, out);
    case 5: return ExpandPanel<5>(panel, zero, depth, out);
    case 6: return ExpandPanel<6>(panel, zero, depth, out);
    case 7: return ExpandPanel<7>(panel, zero, depth, out);
    default: return WidenPanel(panel, depth, out);
  }
}

__m256i Widen(const int16_t* p) { return Load(p); }
__m256i Widen(const uint8_t* p) { return _mm256_cvtepu8_epi16(LoadHalf(p)); }

// Widens rows x depth activations; reads up to 15 elements past a row, which land in the gap between rows.
template <typename T>
void WidenRows(const T* a, size_t stride, int rows, int depth, int16_t* out) {
  const __m256i pair_order = _mm256_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15,  //
                                              0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
  for (int r = 0; r < rows; ++r, a += stride, out += kRowStride) {
    for (int k = 0; k < depth; k += 16) Store(out + k, _mm256_shuffle_epi8(Widen(a + k), pair_order));
  }
}

// acc = init + rows x weights for `kRows` rows of one panel. init is the bias (stride 0) or acc itself.
template <int kRows>
void Tile(const int16_t* a, const int16_t* w, int depth, const int32_t* init, size_t init_stride, int32_t* acc,
          size_t acc_stride) {
  __m256i left[kRows], right[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    left[r] = Load(init + r * init_stride);
    right[r] = Load(init + r * init_stride + 8);
  }
  // One pair a step: with two in sight GCC reassociates the sums and spills half of them.
  for (int pair = 0; pair < depth / 2; ++pair, a += 2, w += 2 * kPanel) {
    const __m256i w_left = Load(w);
    const __m256i w_right = Load(w + 16);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m256i x = Broadcast32(a + r * kRowStride);
      left[r] = _mm256_add_epi32(left[r], _mm256_madd_epi16(x, w_left));
      right[r] = _mm256_add_epi32(right[r], _mm256_madd_epi16(x, w_right));
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    Store(acc + r * acc_stride, left[r]);
    Store(acc + r * acc_stride + 8, right[r]);
  }
}

constexpr decltype(&Tile<1>) kTiles[] = {Tile<1>, Tile<2>, Tile<3>, Tile<4>, Tile<5>, Tile<6>};

template <typename Arguments>
void Gemm(const Arguments& g) {
  Scratch scratch;
  const WeightPanels& w = g.weights;
  const size_t panel_bytes = static_cast<size_t>(g.k / 4) * GroupBytes(w.bits);
  const int row_block = BlockSize(g.m, kBlockRows, kTileRows);
  const int depth_block = BlockSize(g.k, kBlockDepth, 4);
  for (int i0 = 0; i0 < g.m; i0 += row_block) {
    const int rows = std::min(row_block, g.m - i0);
    for (int k0 = 0; k0 < g.k; k0 += depth_block) {
      const int depth = std::min(depth_block, g.k - k0);
      WidenRows(g.a + static_cast<size_t>(i0) * g.a_stride + k0, g.a_stride, rows, depth, scratch.rows);
      const PanelPrefetch prefetch(w, depth, rows);
      const uint8_t* piece = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(k0 / 4) * GroupBytes(w.bits);
      for (int j = 0; j < g.n; j += kPanel, piece += panel_bytes) {
        ToScratch(piece, w.zero + (w.bits == 8 ? 0 : j), w.bits, depth, scratch.weights);
        const bool more = j + kPanel < g.n;
        int32_t* acc = g.acc + static_cast<size_t>(i0) * g.acc_stride + j;
        for (int i = 0; i < rows; i += kTileRows, acc += kTileRows * g.acc_stride) {
          const int tile = std::min(kTileRows, rows - i);
          if (more) prefetch(piece + panel_bytes, i, tile);
          const bool first = k0 == 0;
          kTiles[tile - 1](scratch.rows + i * kRowStride, scratch.weights, depth, first ? g.bias + j : acc,
                           first ? 0 : g.acc_stride, acc, g.acc_stride);
        }
      }
    }
  }
}

void Avx2GemmA8W8(const GemmA8W8& g) { NarrowSpan(g) > 0 ? NarrowGemm(g) : Gemm(g); }
void Avx2GemmA16W8(const GemmA16W8& g) { Gemm(g); }

}  // namespace

void FillGemmAvx2(Kernels& k) {
  k.gemm_a8w8 = Avx2GemmA8W8;
  k.gemm_a16w8 = Avx2GemmA16W8;
}

}  // namespace intsam
