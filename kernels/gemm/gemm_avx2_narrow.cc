// AVX2 GEMM for operands of few bits. VPMADDUBSW multiplies u8 codes by s8 weights and adds pairs, but saturates at
// s16: it is exact while 2 * a_max * w_max <= 32767, that is with 7 bits on one side. Where `span` such pairs fit an
// s16 they are added there before VPMADDWD widens them: 8 of them with 6 bits on both sides or 4-bit weights.
//
// Packed weights are taken as s8 values code - 2^(bits-1), so that a channel's zero point does not cost a bit; what is
// missing, (2^(bits-1) - zero) times the sum of the row's codes, joins the bias. s8 panels are used as they lie.
#include <algorithm>

#include "kernels/gemm/gemm_avx2.h"

namespace intsam::internal {
namespace {

using namespace avx2;

constexpr int kBlockRows = 90;     // rows that share an unpacked panel
constexpr int kBlockDepth = 1024;  // a panel of it (16 KiB) stays in L1 beside the rows of a tile

struct Scratch {
  alignas(64) int8_t weights[kBlockDepth * kPanel];
  int32_t row_sums[kBlockRows];
};

// `depth` k of a packed panel to s8.
template <int kBits>
void Recode(const uint8_t* packed, int depth, int8_t* out) {
  const __m256i half = _mm256_set1_epi8(1 << (kBits - 1));
  for (int i = 0; i < depth * kPanel; i += kGroup, packed += GroupBytes(kBits)) {
    const CodesOfGroup u = Unpack<kBits>(packed);
    Store(out + i, _mm256_sub_epi8(u.left, half));
    Store(out + i + 32, _mm256_sub_epi8(u.right, half));
  }
}

const int8_t* AsS8(const uint8_t* panel, int bits, int depth, int8_t* scratch) {
  switch (bits) {
    case 4: Recode<4>(panel, depth, scratch); break;
    case 5: Recode<5>(panel, depth, scratch); break;
    case 6: Recode<6>(panel, depth, scratch); break;
    case 7: Recode<7>(panel, depth, scratch); break;
    default: return reinterpret_cast<const int8_t*>(panel);
  }
  return scratch;
}

int32_t RowSum(const uint8_t* a, int k) {
  __m256i sums = _mm256_setzero_si256();
  int c = 0;
  for (; c + 32 <= k; c += 32) sums = _mm256_add_epi64(sums, _mm256_sad_epu8(Load(a + c), _mm256_setzero_si256()));
  int64_t lanes[4];
  Store(lanes, sums);
  int64_t sum = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  for (; c < k; ++c) sum += a[c];
  return static_cast<int32_t>(sum);
}

// acc = bias + (2^(bits-1) - zero) * row sum, for one panel. Wraps like every sum here; only the last one must fit.
void StartPacked(const int32_t* bias, const uint8_t* zero, int bits, const int32_t* row_sums, int rows, int32_t* acc,
                 size_t acc_stride) {
  const __m256i half = _mm256_set1_epi32(1 << (bits - 1));
  for (int lane = 0; lane < kPanel; lane += 8) {
    const __m128i zeros = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(zero + lane));
    const __m256i missing = _mm256_sub_epi32(half, _mm256_cvtepu8_epi32(zeros));
    const __m256i start = Load(bias + lane);
    for (int r = 0; r < rows; ++r) {
      const __m256i sum = _mm256_mullo_epi32(missing, _mm256_set1_epi32(row_sums[r]));
      Store(acc + static_cast<size_t>(r) * acc_stride + lane, _mm256_add_epi32(start, sum));
    }
  }
}

// The operands of one tile: rows of codes, `groups` groups of four k of one panel, and where sums start (the bias with
// stride 0, or acc itself) and end.
struct TileArguments {
  const uint8_t* a;
  size_t a_stride;
  const int8_t* w;
  int groups;
  const int32_t* start;
  size_t start_stride;
  int32_t* acc;
  size_t acc_stride;
};

// kSpan pairs (1 or 2) are added in s16, then widened into s32 sums that stay in registers.
template <int kRows, int kSpan>
void DirectTile(const TileArguments& t) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i left[kRows], right[kRows];
  LoadSums(t.start, t.start_stride, left, right);
  const uint8_t* a = t.a;
  const int8_t* w = t.w;
  const auto step = [&]<int kGroups> {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m256i x = Broadcast32(a + r * t.a_stride);
      __m256i l = _mm256_maddubs_epi16(x, Load(w)), h = _mm256_maddubs_epi16(x, Load(w + 32));
      if constexpr (kGroups == 2) {
        const __m256i y = Broadcast32(a + r * t.a_stride + 4);
        l = _mm256_add_epi16(l, _mm256_maddubs_epi16(y, Load(w + kGroup)));
        h = _mm256_add_epi16(h, _mm256_maddubs_epi16(y, Load(w + kGroup + 32)));
      }
      left[r] = _mm256_add_epi32(left[r], _mm256_madd_epi16(l, ones));
      right[r] = _mm256_add_epi32(right[r], _mm256_madd_epi16(h, ones));
    }
    a += 4 * kGroups, w += kGroups * kGroup;
  };
  for (int left_over = t.groups / kSpan; left_over > 0; --left_over) step.template operator()<kSpan>();
  if (t.groups % kSpan != 0) step.template operator()<1>();
  StoreSums(left, right, t.acc, t.acc_stride);
}

// kSpan pairs (4 or 8) are added in s16 registers, then widened into s32 sums, which lie on the stack between the first
// span and the last. A span is written out without a loop: where a loop over its groups ends, Zen 1 loses as much time
// as three of them take.
template <int kRows, int kSpan>
void SummedTile(const TileArguments& t) {
  const __m256i ones = _mm256_set1_epi16(1);
  alignas(32) int32_t sums[kRows * kPanel];
  const uint8_t* a = t.a;
  const int8_t* w = t.w;
  const int32_t* in = t.start;
  size_t in_stride = t.start_stride;
  const auto step = [&]<int kGroups>(int32_t* out, size_t out_stride) {
    __m256i left[kRows], right[kRows];
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) {
      const __m256i w_left = Load(w + g * kGroup), w_right = Load(w + g * kGroup + 32);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const __m256i x = Broadcast32(a + r * t.a_stride + 4 * g);
        const __m256i l = _mm256_maddubs_epi16(x, w_left), h = _mm256_maddubs_epi16(x, w_right);
        left[r] = g == 0 ? l : _mm256_add_epi16(left[r], l);
        right[r] = g == 0 ? h : _mm256_add_epi16(right[r], h);
        Pin(left[r]), Pin(right[r]);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const int32_t* from = in + r * in_stride;
      Store(out + r * out_stride, _mm256_add_epi32(Load(from), _mm256_madd_epi16(left[r], ones)));
      Store(out + r * out_stride + 8, _mm256_add_epi32(Load(from + 8), _mm256_madd_epi16(right[r], ones)));
    }
    a += 4 * kGroups, w += kGroups * kGroup, in = out, in_stride = out_stride;
  };
  int left_over = t.groups;
  for (; left_over > kSpan; left_over -= kSpan) step.template operator()<kSpan>(sums, kPanel);
  if (left_over == kSpan) return step.template operator()<kSpan>(t.acc, t.acc_stride);
  for (; left_over > 0; --left_over) step.template operator()<1>(t.acc, t.acc_stride);
}

// Tiles of 1 to `rows` rows; 16 registers hold 5 rows of s32 sums beside their operands, or 6 of s16 sums.
using Tile = void (*)(const TileArguments&);
struct Tiles {
  int rows;
  Tile of[6];
};
template <int kSpan>
constexpr Tiles kDirect = {5,
                           {DirectTile<1, kSpan>, DirectTile<2, kSpan>, DirectTile<3, kSpan>, DirectTile<4, kSpan>,
                            DirectTile<5, kSpan>, nullptr}};
template <int kSpan>
constexpr Tiles kSummed = {6,
                           {SummedTile<1, kSpan>, SummedTile<2, kSpan>, SummedTile<3, kSpan>, SummedTile<4, kSpan>,
                            SummedTile<5, kSpan>, SummedTile<6, kSpan>}};

const Tiles& TilesFor(int span) {
  if (span >= 8) return kSummed<8>;
  if (span >= 4) return kSummed<4>;
  return span >= 2 ? kDirect<2> : kDirect<1>;
}

}  // namespace

void NarrowGemm(const GemmA8W8& g) {
  Scratch scratch;
  const WeightPanels& w = g.weights;
  const size_t group_bytes = GroupBytes(w.bits), panel_bytes = static_cast<size_t>(g.k / 4) * group_bytes;
  const Tiles& tiles = TilesFor(NarrowSpan(g));
  const int row_block = BlockSize(g.m, kBlockRows, tiles.rows), depth_block = BlockSize(g.k, kBlockDepth, 4);
  for (int i0 = 0; i0 < g.m; i0 += row_block) {
    const int rows = std::min(row_block, g.m - i0);
    const uint8_t* block = g.a + static_cast<size_t>(i0) * g.a_stride;
    if (w.bits < 8) {
      for (int r = 0; r < rows; ++r) scratch.row_sums[r] = RowSum(block + static_cast<size_t>(r) * g.a_stride, g.k);
    }
    for (int k0 = 0; k0 < g.k; k0 += depth_block) {
      const int depth = std::min(depth_block, g.k - k0);
      const PanelPrefetch prefetch(w, depth, rows);
      const uint8_t* piece = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(k0 / 4) * group_bytes;
      for (int j = 0; j < g.n; j += kPanel, piece += panel_bytes) {
        int32_t* acc = g.acc + static_cast<size_t>(i0) * g.acc_stride + j;
        if (k0 == 0 && w.bits < 8) {
          StartPacked(g.bias + j, w.zero + j, w.bits, scratch.row_sums, rows, acc, g.acc_stride);
        }
        const bool from_bias = k0 == 0 && w.bits == 8;
        TileArguments t{block + k0,
                        g.a_stride,
                        AsS8(piece, w.bits, depth, scratch.weights),
                        depth / 4,
                        from_bias ? g.bias + j : acc,
                        from_bias ? 0 : g.acc_stride,
                        acc,
                        g.acc_stride};
        for (int i = 0; i < rows; i += tiles.rows) {
          const int tile = std::min(tiles.rows, rows - i);
          if (j + kPanel < g.n) prefetch(piece + panel_bytes, i, tile);
          tiles.of[tile - 1](t);
          t.a += static_cast<size_t>(tile) * g.a_stride;
          t.acc += static_cast<size_t>(tile) * g.acc_stride;
          if (!from_bias) t.start = t.acc;
        }
      }
    }
  }
}

}  // namespace intsam::internal
