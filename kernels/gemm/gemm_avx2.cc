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

namespace intsam::internal {
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

// Of eight channels' bytes of four k the s16 of one pair: of (k0, k2), or of (k1, k3).
__m256i WidenPair(__m256i group, int pair) {
  return _mm256_srai_epi16(pair == 0 ? _mm256_slli_epi16(group, 8) : group, 8);
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

// `depth` k of one packed panel to s16; `zero`: of its channels.
void ExpandPanel(const uint8_t* panel, const uint8_t* zero, int bits, int depth, int16_t* out) {
  switch (bits) {
    case 4: return ExpandPanel<4>(panel, zero, depth, out);
    case 5: return ExpandPanel<5>(panel, zero, depth, out);
    case 6: return ExpandPanel<6>(panel, zero, depth, out);
    default: return ExpandPanel<7>(panel, zero, depth, out);
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

// What a tile of rows meets: the widened rows, one panel (`s8`, read by the first tile alone, and its s16 form, which
// that tile leaves behind), and where sums start (the bias with stride 0, or acc itself) and end.
struct TileArguments {
  const int16_t* a;
  const uint8_t* s8;
  int16_t* w;
  int depth;
  const int32_t* start;
  size_t start_stride;
  int32_t* acc;
  size_t acc_stride;
};

// kWiden: the first tile of an s8 panel. Widening takes shifts and stores, for which the products leave room.
template <int kRows, bool kWiden>
void MultiplyTile(const TileArguments& t) {
  __m256i left[kRows], right[kRows];
  LoadSums(t.start, t.start_stride, left, right);
  const int16_t* a = t.a;
  const uint8_t* s8 = t.s8;
  int16_t* w = t.w;
  for (int group = 0; group < t.depth / 4; ++group, a += 4, s8 += kGroup, w += kGroup) {
#pragma GCC unroll 2
    for (int pair = 0; pair < 2; ++pair) {
      if constexpr (kWiden) {
        Store(w + 32 * pair, WidenPair(Load(s8), pair));
        Store(w + 32 * pair + 16, WidenPair(Load(s8 + 32), pair));
      }
      const __m256i w_left = Load(w + 32 * pair), w_right = Load(w + 32 * pair + 16);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const __m256i x = Broadcast32(a + r * kRowStride + 2 * pair);
        left[r] = _mm256_add_epi32(left[r], _mm256_madd_epi16(x, w_left));
        right[r] = _mm256_add_epi32(right[r], _mm256_madd_epi16(x, w_right));
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) Pin(left[r]), Pin(right[r]);  // or GCC adds the pairs first, and spills
    }
  }
  StoreSums(left, right, t.acc, t.acc_stride);
}

using Tile = void (*)(const TileArguments&);
template <bool kWiden>
constexpr Tile kTiles[] = {MultiplyTile<1, kWiden>, MultiplyTile<2, kWiden>, MultiplyTile<3, kWiden>,
                           MultiplyTile<4, kWiden>, MultiplyTile<5, kWiden>, MultiplyTile<6, kWiden>};

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
        if (w.bits < 8) ExpandPanel(piece, w.zero + j, w.bits, depth, scratch.weights);
        int32_t* acc = g.acc + static_cast<size_t>(i0) * g.acc_stride + j;
        const bool first = k0 == 0;
        TileArguments t{
            scratch.rows, piece,       scratch.weights, depth, first ? g.bias + j : acc, first ? 0 : g.acc_stride,
            acc,          g.acc_stride};
        for (int i = 0; i < rows; i += kTileRows) {
          const int tile = std::min(kTileRows, rows - i);
          if (j + kPanel < g.n) prefetch(piece + panel_bytes, i, tile);
          const Tile* tiles = i == 0 && w.bits == 8 ? kTiles<true> : kTiles<false>;
          tiles[tile - 1](t);
          t.a += kTileRows * kRowStride;
          t.acc += kTileRows * g.acc_stride;
          if (!first) t.start = t.acc;
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

}  // namespace intsam::internal
