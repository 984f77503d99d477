// AMX-INT8 GEMM of 8-bit codes, and of 16-bit values as two of them: TDPBUSD multiplies a tile of 16 rows x 64 k by a
// tile of 64 k x 16 channels. Rows of activations are read where they lie; 16 steps of a panel are a tile of weights as
// they lie in the file. Whole blocks of 16 rows go through tiles; the rest is the avx512vnni tier's, and so are
// products of less than a tile's depth.
//
// Four tiles hold sums: two blocks of rows by two panels where there are two, so that each tile loaded serves twice,
// else one block by four panels. The sums of a tile start by loading the bias with a stride of zero. Weights are read
// in the order in which they lie, so the core fetches them ahead on its own: asking for them took 8 % longer (Emerald
// Rapids).
//
// Tiles are configured for the length of one call: they make context switches dear, and belong to a thread.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernels/gemm/gemm_vnni.h"
#include "kernels/isa/avx512.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

constexpr int kTileRows = 16, kTileDepth = 64, kTileBytes = 1024;
constexpr int kBlockBytes = 32768;  // of weights that meet all rows before the next are fetched: in an L1 of 48 KiB

// Palette 1, eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfiguration) == 64);
constexpr TileConfiguration kConfiguration;

// One set of tiles: blocks of rows and panels, `steps` times 64 k, then perhaps a step of fewer k, copied and filled up
// with zeros. Sums as in vnni::TileArguments. Strides in bytes, of sums in s32.
struct TileArguments {
  const uint8_t* a;
  size_t a_stride;
  const int8_t* w;
  size_t w_stride;
  int steps;
  const uint8_t* a_rest;  // [rows][64], or null
  const int8_t* w_rest;   // [panels][1024]
  const int32_t* start;
  size_t start_stride;
  int32_t* acc;
  size_t acc_stride;
};

// Tiles 0 to 3 hold sums, 4 and 5 rows, 6 and 7 weights. Tile numbers must be literals.
template <int kBlocks, int kPanels>
void MultiplyStep(const uint8_t* a, size_t a_stride, const int8_t* w, size_t w_stride) {
  _tile_loadd(4, a, a_stride);
  _tile_loadd(6, w, kTileDepth);
  _tile_dpbusd(0, 4, 6);
  if constexpr (kPanels > 1) {
    _tile_loadd(7, w + w_stride, kTileDepth);
    _tile_dpbusd(1, 4, 7);
  }
  if constexpr (kBlocks == 2) {
    _tile_loadd(5, a + kTileRows * a_stride, a_stride);
    _tile_dpbusd(2, 5, 6);
    if constexpr (kPanels > 1) _tile_dpbusd(3, 5, 7);
  }
  if constexpr (kBlocks == 1 && kPanels > 2) {
    _tile_loadd(6, w + 2 * w_stride, kTileDepth);
    _tile_dpbusd(2, 4, 6);
  }
  if constexpr (kBlocks == 1 && kPanels > 3) {
    _tile_loadd(7, w + 3 * w_stride, kTileDepth);
    _tile_dpbusd(3, 4, 7);
  }
}

template <int kBlocks, int kPanels>
void Multiply(const TileArguments& t) {
  static_assert(kBlocks * kPanels <= 4);
  // Where the sums of tiles 2 and 3 lie.
  const size_t step2 = kBlocks == 2 ? kTileRows * t.start_stride : 2 * kPanel;
  const size_t start_bytes = 4 * t.start_stride;
  _tile_loadd(0, t.start, start_bytes);
  if constexpr (kPanels > 1) _tile_loadd(1, t.start + kPanel, start_bytes);
  if constexpr (kBlocks == 2 || kPanels > 2) _tile_loadd(2, t.start + step2, start_bytes);
  if constexpr (kBlocks * kPanels == 4) _tile_loadd(3, t.start + step2 + kPanel, start_bytes);
  for (int step = 0; step < t.steps; ++step) {
    MultiplyStep<kBlocks, kPanels>(t.a + step * kTileDepth, t.a_stride, t.w + step * kTileBytes, t.w_stride);
  }
  if (t.a_rest != nullptr) MultiplyStep<kBlocks, kPanels>(t.a_rest, kTileDepth, t.w_rest, kTileBytes);
  const size_t acc2 = kBlocks == 2 ? kTileRows * t.acc_stride : 2 * kPanel;
  const size_t acc_bytes = 4 * t.acc_stride;
  _tile_stored(0, t.acc, acc_bytes);
  if constexpr (kPanels > 1) _tile_stored(1, t.acc + kPanel, acc_bytes);
  if constexpr (kBlocks == 2 || kPanels > 2) _tile_stored(2, t.acc + acc2, acc_bytes);
  if constexpr (kBlocks * kPanels == 4) _tile_stored(3, t.acc + acc2 + kPanel, acc_bytes);
}

using Function = void (*)(const TileArguments&);
constexpr Function kTwoBlocks[] = {Multiply<2, 1>, Multiply<2, 2>};
constexpr Function kOneBlock[] = {Multiply<1, 1>, Multiply<1, 2>, Multiply<1, 3>, Multiply<1, 4>};

// `rows` rows of `depth` bytes, filled up with zeros to a tile's 64.
void CopyRest(const uint8_t* a, size_t stride, int rows, int depth, uint8_t* out) {
  std::memset(out, 0, static_cast<size_t>(rows * kTileDepth));
  for (int r = 0; r < rows; ++r, a += stride) std::memcpy(out + r * kTileDepth, a, static_cast<size_t>(depth));
}

// Whole blocks of 16 rows, at most kMaxRows of them. Tiles are configured.
constexpr int kMaxRows = 64;
void MultiplyRows(const GemmA8W8& g) {
  alignas(64) int8_t scratch[kBlockBytes];
  alignas(64) uint8_t a_rest[kMaxRows * kTileDepth];
  alignas(64) int8_t w_rest[4 * kTileBytes];
  const WeightPanels& w = g.weights;
  const int panels_at_once = g.m == kTileRows ? 4 : 2;
  const int depth_block = kBlockBytes / (panels_at_once * kPanel), all_panels = (g.n + kPanel - 1) / kPanel;
  const size_t group_bytes = GroupBytes(w.bits), panel_bytes = static_cast<size_t>(g.k / 4) * group_bytes;
  for (int k0 = 0; k0 < g.k; k0 += depth_block) {
    const int depth = std::min(depth_block, g.k - k0), rest = depth % kTileDepth, whole = depth - rest;
    const uint8_t* a = g.a + k0;
    if (rest > 0) CopyRest(a + whole, g.a_stride, g.m, rest, a_rest);
    const uint8_t* piece = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(k0 / 4) * group_bytes;
    for (int j = 0; j < all_panels; j += panels_at_once, piece += panels_at_once * panel_bytes) {
      const int panels = std::min(panels_at_once, all_panels - j);
      const bool first = k0 == 0;
      int32_t* acc = g.acc + j * kPanel;
      TileArguments t{a,
                      g.a_stride,
                      reinterpret_cast<const int8_t*>(piece),
                      panel_bytes,
                      whole / kTileDepth,
                      rest > 0 ? a_rest : nullptr,
                      w_rest,
                      first ? g.bias + j * kPanel : acc,
                      first ? 0 : g.acc_stride,
                      acc,
                      g.acc_stride};
      if (w.bits < 8) {
        t.w = scratch, t.w_stride = static_cast<size_t>(depth * kPanel);
        for (int p = 0; p < panels; ++p) {
          vnni::AsS8<Zmm>(piece + p * panel_bytes, w.zero + (j + p) * kPanel, w.bits, depth, scratch + p * t.w_stride);
        }
      }
      for (int p = 0; rest > 0 && p < panels; ++p) {
        std::memset(w_rest + p * kTileBytes + rest * kPanel, 0, static_cast<size_t>(kTileBytes - rest * kPanel));
        std::memcpy(w_rest + p * kTileBytes, t.w + p * t.w_stride + whole * kPanel, static_cast<size_t>(rest * kPanel));
      }
      // The compiler does not know what tile loads read: nothing of it may still be on its way to memory.
      std::atomic_signal_fence(std::memory_order_seq_cst);
      for (int i = 0; i < g.m;) {
        const bool two = g.m - i >= 2 * kTileRows;
        (two ? kTwoBlocks : kOneBlock)[panels - 1](t);
        const int rows = two ? 2 * kTileRows : kTileRows;
        i += rows;
        t.a += static_cast<size_t>(rows) * g.a_stride;
        if (rest > 0) t.a_rest += rows * kTileDepth;
        t.acc += static_cast<size_t>(rows) * g.acc_stride;
        if (!first) t.start = t.acc;
      }
    }
  }
}

}  // namespace

void AmxGemmA8W8(const GemmA8W8& g) {
  if (g.k < kTileDepth) return Avx512vnniGemmA8W8(g);  // tiles filled up with zeros take longer
  GemmA8W8 part = g;
  const int in_tiles = g.m / kTileRows * kTileRows;
  const auto skip = [&](int rows) {
    part.a += static_cast<size_t>(rows) * g.a_stride;
    part.acc += static_cast<size_t>(rows) * g.acc_stride;
  };
  if (in_tiles > 0) {
    _tile_loadconfig(&kConfiguration);
    for (int i = 0; i < in_tiles; i += part.m) {
      part.m = std::min(kMaxRows, in_tiles - i);
      MultiplyRows(part);
      skip(part.m);
    }
    _tile_release();
  }
  part.m = g.m - in_tiles;
  if (part.m > 0) Avx512vnniGemmA8W8(part);
}

namespace {

// s16 values as two rows of bytes: x = 256 (h - 128) + l.
constexpr int kWideRows = 32, kWideDepth = 512, kWideColumns = 128, kPlane = kWideDepth + 64;
void SplitRow(const int16_t* x, int depth, uint8_t* low, uint8_t* high) {
  for (int c = 0; c < depth; c += 64) {
    const __mmask16 rest = avx512::FirstLanes<__mmask16>((depth - c + 3) / 4);
    const __m512i front = avx512::Load(x + c);
    const __m512i back = depth - c > 32 ? avx512::Load(x + c + 32) : _mm512_setzero_si512();
    const avx512::WordBytes bytes = avx512::SplitWords(front, back);
    _mm512_mask_storeu_epi32(low + c, rest, bytes.low);
    _mm512_mask_storeu_epi32(high + c, rest, _mm512_xor_si512(bytes.high, _mm512_set1_epi8(-128)));
  }
}

// Columns of one layer, at most kWideColumns, sums modulo 2^32.
void WideColumns(const GemmA16W8& g) {
  alignas(64) uint8_t low[kWideRows * kPlane], high[kWideRows * kPlane];
  alignas(64) int32_t sums[kWideRows * kWideColumns], bias[kWideColumns];
  static constexpr int32_t kNoBias[kWideColumns] = {};
  const int columns = RoundUp(g.n, kPanel);
  std::memset(low, 1, static_cast<size_t>(g.k));
  Avx512vnniGemmA8W8({low, kPlane, g.weights, kNoBias, bias, kWideColumns, 1, g.n, g.k});
  for (int c = 0; c < columns; ++c) {
    bias[c] = static_cast<int32_t>(static_cast<uint32_t>(g.bias[c]) - (static_cast<uint32_t>(bias[c]) << 15));
  }
  for (int i = 0; i < g.m; i += kWideRows) {
    const int rows = std::min(kWideRows, g.m - i);
    const int16_t* a = g.a + static_cast<size_t>(i) * g.a_stride;
    for (int r = 0; r < rows; ++r) {
      SplitRow(a + static_cast<size_t>(r) * g.a_stride, g.k, low + r * kPlane, high + r * kPlane);
    }
    int32_t* acc = g.acc + static_cast<size_t>(i) * g.acc_stride;
    AmxGemmA8W8({low, kPlane, g.weights, bias, acc, g.acc_stride, rows, g.n, g.k});
    AmxGemmA8W8({high, kPlane, g.weights, kNoBias, sums, kWideColumns, rows, g.n, g.k});
    for (int r = 0; r < rows; ++r, acc += g.acc_stride) {
      for (int c = 0; c < columns; c += kPanel) {
        const __m512i whole = _mm512_slli_epi32(avx512::Load(sums + r * kWideColumns + c), 8);
        avx512::Store(acc + c, _mm512_add_epi32(avx512::Load(acc + c), whole));
      }
    }
  }
}

// Two products of bytes by tiles in place of one of words by VPDPWSSD, which a tile's rate is worth.
void AmxGemmA16W8(const GemmA16W8& g) {
  if (g.m < kTileRows || g.k < kTileDepth || g.k > kWideDepth) return Avx512vnniGemmA16W8(g);
  GemmA16W8 part = g;
  const size_t panel_bytes = static_cast<size_t>(g.k / 4) * GroupBytes(g.weights.bits);
  for (int j = 0; j < g.n; j += kWideColumns) {
    part.n = std::min(kWideColumns, g.n - j);
    part.weights.groups = static_cast<const uint8_t*>(g.weights.groups) + static_cast<size_t>(j / kPanel) * panel_bytes;
    if (g.weights.zero != nullptr) part.weights.zero = g.weights.zero + j;
    part.bias = g.bias + j;
    part.acc = g.acc + j;
    WideColumns(part);
  }
}

}  // namespace

void FillGemmAmx(Kernels& k) {
  k.gemm_a8w8 = AmxGemmA8W8;
  k.gemm_a16w8 = AmxGemmA16W8;
  k.row_block = 256;  // 64 rows take less time than their weights do to arrive; L2 has 2 MiB where there is AMX
}

}  // namespace intsam::internal
