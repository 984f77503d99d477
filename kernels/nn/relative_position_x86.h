// Relative positions (docs/numerics.md, section 7) as a template over the vectors of a tier (Ymm of isa/avx2.h, YmmVnni
// of isa/avxvnni.h, Zmm of isa/avx512.h): a lane is a position, so that sums need not be added up across a vector.
// Queries of one place along the axis meet the same positions, and share what is loaded.
#ifndef INTSAM_KERNELS_NN_RELATIVE_POSITION_X86_H_
#define INTSAM_KERNELS_NN_RELATIVE_POSITION_X86_H_

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/kernels.h"

namespace intsam::internal::x86 {

constexpr int kMaxDepth = 544;  // d <= 516, rounded up to whole vectors

constexpr int kMaxRows = 8, kMaxVectors = 4;

// Sums cover the latency of a product: the fewer the vectors, the more rows.
template <class Isa>
constexpr int RelativeRows(int vectors) {
  return std::min(kMaxRows, Isa::kRelativeSums / vectors);
}

// A row of a tile: its query, widened to s16, and its first position.
struct RelativeRow {
  int16_t q[kMaxDepth];
  const int16_t* pairs;
  const int32_t* bias;
};

// Rows by kVectors vectors of positions.
template <class Isa, bool kShared, int kVectors>
void RelativeTile(const RelativeRow* rows, size_t step, int d, typename Isa::Vector (*sums)[kMaxVectors]) {
  constexpr int kRows = RelativeRows<Isa>(kVectors);
  typename Isa::Vector acc[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) acc[r][v] = Isa::Load(rows[r].bias + v * Isa::kLanes);
  }
  size_t at = 0;
  for (int c = 0; c < d; c += 2, at += step) {
    typename Isa::Vector shared[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) shared[v] = Isa::Load(rows[0].pairs + at + 2 * v * Isa::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const typename Isa::Vector x = Isa::Broadcast32(rows[r].q + c);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        acc[r][v] =
            Isa::DotWords(acc[r][v], x, kShared ? shared[v] : Isa::Load(rows[r].pairs + at + 2 * v * Isa::kLanes));
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[r][v] = acc[r][v];
  }
}

template <class Isa, bool kShared, size_t... kIndex>
constexpr auto RelativeTilesOf(std::index_sequence<kIndex...>) {
  return std::array{&RelativeTile<Isa, kShared, int{kIndex} + 1>...};
}

template <class Isa>
void RelativePositions(const RelativePosition& p) {
  constexpr int kLanes = Isa::kLanes;
  using Vectors = std::make_index_sequence<kMaxVectors>;
  static constexpr auto kShared = RelativeTilesOf<Isa, true>(Vectors()),
                        kApart = RelativeTilesOf<Isa, false>(Vectors());
  const auto rq = Isa::MakeRq32Lanes(p.mult, p.shift);
  const size_t step = 2 * static_cast<size_t>(p.positions);
  RelativeRow tile_of[kMaxRows];
  typename Isa::Vector sums[kMaxRows][kMaxVectors];
  for (int t = 0; t < p.count; t += kMaxVectors * kLanes) {
    const int vectors = std::min(kMaxVectors, (p.count - t + kLanes - 1) / kLanes);
    const auto tile = (p.step == 0 ? kShared : kApart)[static_cast<size_t>(vectors - 1)];
    const int tile_rows = RelativeRows<Isa>(vectors);
    for (int i0 = 0; i0 < p.rows; i0 += tile_rows) {
      const int rows = std::min(tile_rows, p.rows - i0);
      // Missing rows repeat the last, and are not stored.
      for (int r = 0; r < tile_rows; ++r) {
        const int i = i0 + std::min(r, rows - 1);
        const int8_t* row = p.q + static_cast<size_t>(i) * p.q_stride;
        for (int c = 0; c < p.d; c += Isa::kWords) Isa::Store(tile_of[r].q + c, Isa::LoadS8As16(row + c));
        const int at = p.first + i * p.step + t;
        tile_of[r].pairs = p.pairs + 2 * at, tile_of[r].bias = p.bias + at;
      }
      tile(tile_of, step, p.d, sums);
      for (int r = 0; r < rows; ++r) {
        int32_t* out = p.out + static_cast<size_t>(i0 + r) * p.out_stride + t;
        for (int v = 0; v < vectors; ++v) {
          Isa::StoreFirst(out + v * kLanes, Apply(rq, sums[r][v]), p.count - t - v * kLanes);
        }
      }
    }
  }
}

}  // namespace intsam::internal::x86

#endif  // INTSAM_KERNELS_NN_RELATIVE_POSITION_X86_H_
