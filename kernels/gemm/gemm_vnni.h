// GEMMs of the tiers with dot-product instructions, as templates over their vectors (YmmVnni of isa/avxvnni.h, Zmm of
// isa/avx512.h). VPDPBUSD multiplies u8 codes by s8 weights, VPDPWSSD pairs of s16; both add into s32 lanes without an
// intermediate that could saturate, so any operands are exact.
//
// A step is 4 bytes of a row of activations, broadcast, against 64 bytes of each panel: four k of 8-bit codes, two of
// s16 ones. s8 panels are used as they lie; packed ones are expanded a block at a time, and those of 16-bit activations
// widened.
#ifndef INTSAM_KERNELS_GEMM_GEMM_VNNI_H_
#define INTSAM_KERNELS_GEMM_GEMM_VNNI_H_

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/gemm/gemm_avx2.h"

namespace intsam::internal::vnni {

constexpr int kBlockRows = 72;     // callers give strips of about 64 rows
constexpr int kBlockBytes = 8192;  // of a panel: four of them fill two thirds of an L1 of 48 KiB beside the rows

// A panel of s8: as it lies, or expanded into `out`. Every w = code - zero fits.
template <class Isa>
const int8_t* AsS8(const uint8_t* panel, const uint8_t* zero, int bits, int depth, int8_t* out) {
  switch (bits) {
    case 4: Isa::template ExpandPanel<4>(panel, zero, depth, out); break;
    case 5: Isa::template ExpandPanel<5>(panel, zero, depth, out); break;
    case 6: Isa::template ExpandPanel<6>(panel, zero, depth, out); break;
    case 7: Isa::template ExpandPanel<7>(panel, zero, depth, out); break;
    default: return reinterpret_cast<const int8_t*>(panel);
  }
  return out;
}

// `depth` k of an s8 panel to s16: a group of four k becomes (k0, k1) of all channels, then (k2, k3).
template <class Isa>
void WidenPanel(const int8_t* panel, int depth, int8_t* out) {
  // A byte in the upper half of its word, moved down with its sign; indices of -1 give zeros.
  const auto front = Isa::BroadcastQuarter(_mm_setr_epi8(-1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13));
  const auto back = Isa::BroadcastQuarter(_mm_setr_epi8(-1, 2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15));
  for (int i = 0; i < depth * kPanel; i += kGroup, out += 2 * kGroup) {
    for (int at = 0; at < kGroup; at += 4 * Isa::kLanes) {
      const auto bytes = Isa::Load(panel + i + at);
      Isa::Store(out + at, Isa::template ShiftRight16<8>(Isa::LookUp8(bytes, front)));
      Isa::Store(out + kGroup + at, Isa::template ShiftRight16<8>(Isa::LookUp8(bytes, back)));
    }
  }
}

// The operands of one tile, strides of `a` and `w` in bytes: rows of activations, `steps` steps of some panels, and
// where sums start (the bias with stride 0, or acc itself) and end.
struct TileArguments {
  const uint8_t* a;
  size_t a_stride;
  const int8_t* w;
  size_t w_stride;
  int steps;
  const int32_t* start;
  size_t start_stride;
  int32_t* acc;
  size_t acc_stride;
};

template <class Isa, bool kCodes, int kPanels, int kRows>
void Tile(const TileArguments& t) {
  constexpr int kPerPanel = kPanel / Isa::kLanes, kVectors = kPanels * kPerPanel;
  typename Isa::Vector sums[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[r][v] = Isa::Load(t.start + r * t.start_stride + v * Isa::kLanes);
  }
  const uint8_t* a = t.a;
  const int8_t* w = t.w;
  for (int step = 0; step < t.steps; ++step, a += 4, w += kGroup) {
    typename Isa::Vector weights[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      weights[v] = Isa::Load(w + (v / kPerPanel) * t.w_stride + v % kPerPanel * 4 * Isa::kLanes);
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const typename Isa::Vector x = Isa::Broadcast32(a + r * t.a_stride);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] = kCodes ? Isa::DotBytes(sums[r][v], x, weights[v]) : Isa::DotWords(sums[r][v], x, weights[v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) Isa::Store(t.acc + r * t.acc_stride + v * Isa::kLanes, sums[r][v]);
  }
}

// Tiles of 1..kGemmPanels panels x 1..kGemmRows rows, one after the other.
template <class Isa, bool kCodes, size_t... kIndex>
constexpr auto TilesOf(std::index_sequence<kIndex...>) {
  constexpr int kRows = Isa::kGemmRows;
  return std::array{&Tile<Isa, kCodes, int{kIndex} / kRows + 1, int{kIndex} % kRows + 1>...};
}

template <class Isa, class Arguments>
void Gemm(const Arguments& g) {
  constexpr int kCode = sizeof(*g.a);  // 1 or 2 bytes
  constexpr int kPanels = Isa::kGemmPanels, kRows = Isa::kGemmRows;
  static constexpr auto kTiles = TilesOf<Isa, kCode == 1>(std::make_index_sequence<kPanels * kRows>());
  alignas(64) int8_t scratch[kPanels * kBlockBytes];
  alignas(64) int8_t narrow[kCode == 1 ? 64 : kBlockBytes / 2];  // a panel of s8, to be widened
  const WeightPanels& w = g.weights;
  const size_t group_bytes = GroupBytes(w.bits), panel_bytes = static_cast<size_t>(g.k / 4) * group_bytes;
  const int row_block = BlockSize(g.m, kBlockRows, 1);
  const int tile_rows = BlockSize(row_block, kRows, 1);  // tiles of like height: none is left with a row
  const int depth_block = BlockSize(g.k, kBlockBytes / (kCode * kPanel), 4);
  for (int i0 = 0; i0 < g.m; i0 += row_block) {
    const int rows = std::min(row_block, g.m - i0);
    const auto* block = g.a + static_cast<size_t>(i0) * g.a_stride;
    for (int k0 = 0; k0 < g.k; k0 += depth_block) {
      const int depth = std::min(depth_block, g.k - k0);
      const avx2::PanelPrefetch prefetch(w, depth, rows);
      const uint8_t* piece = static_cast<const uint8_t*>(w.groups) + static_cast<size_t>(k0 / 4) * group_bytes;
      for (int j = 0; j < g.n; j += kPanels * kPanel, piece += kPanels * panel_bytes) {
        const int panels = std::min(kPanels, (g.n - j + kPanel - 1) / kPanel);
        const int ahead = std::clamp((g.n - j + kPanel - 1) / kPanel - kPanels, 0, kPanels);
        int32_t* acc = g.acc + static_cast<size_t>(i0) * g.acc_stride + j;
        const bool first = k0 == 0;
        TileArguments t{reinterpret_cast<const uint8_t*>(block + k0),
                        kCode * g.a_stride,
                        reinterpret_cast<const int8_t*>(piece),
                        panel_bytes,
                        kCode * depth / 4,
                        first ? g.bias + j : acc,
                        first ? 0 : g.acc_stride,
                        acc,
                        g.acc_stride};
        if (kCode == 2 || w.bits < 8) {
          t.w = scratch, t.w_stride = static_cast<size_t>(kCode * depth * kPanel);
          for (int p = 0; p < panels; ++p) {
            int8_t* out = scratch + p * t.w_stride;
            const uint8_t* zero = w.zero + (w.bits == 8 ? 0 : j + p * kPanel);
            const int8_t* s8 = AsS8<Isa>(piece + p * panel_bytes, zero, w.bits, depth, kCode == 1 ? out : narrow);
            if constexpr (kCode == 2) WidenPanel<Isa>(s8, depth, out);
          }
        }
        for (int i = 0; i < rows; i += tile_rows) {
          const int tile = std::min(tile_rows, rows - i);
          for (int p = 0; p < ahead; ++p) prefetch(piece + (kPanels + p) * panel_bytes, i, tile);
          kTiles[(panels - 1) * kRows + tile - 1](t);
          t.a += static_cast<size_t>(tile) * t.a_stride;
          t.acc += static_cast<size_t>(tile) * g.acc_stride;
          if (!first) t.start = t.acc;
        }
      }
    }
  }
}

}  // namespace intsam::internal::vnni

namespace intsam::internal {

// The avx512vnni tier's products, for what the amx tier's leave over, and that one of codes, for its mix.
void Avx512vnniGemmA8W8(const GemmA8W8& g);
void Avx512vnniGemmA16W8(const GemmA16W8& g);
void AmxGemmA8W8(const GemmA8W8& g);

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_GEMM_GEMM_VNNI_H_
