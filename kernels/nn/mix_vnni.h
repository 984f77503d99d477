// Probabilities times values (docs/numerics.md 6.4) by VPDPWSSD, as a template over the vectors of a tier (YmmVnni of
// isa/avxvnni.h, Zmm of isa/avx512.h): pairs of keys, s32 sums for as many keys as surely fit, then s64. AVX2's own mix
// adds products by VPADDD, for which a compiler wants another order of loops: this one takes it 3 to 18 % longer.
#ifndef INTSAM_KERNELS_NN_MIX_VNNI_H_
#define INTSAM_KERNELS_NN_MIX_VNNI_H_

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/isa/loops.h"
#include "kernels/kernels.h"

namespace intsam::internal::vnni {

constexpr int kMixKeys = 512;
static_assert(int64_t{kMixKeys} * 32767 * 128 <= INT32_MAX);

// `pairs` pairs of keys; `columns` columns exist. A pair of keys is one s32 of each row of prob, and of each column.
struct MixArguments {
  const uint16_t* prob;
  size_t prob_stride;
  const int16_t* values;
  size_t pair_size;
  int pairs;
  int64_t* out;
  size_t out_stride;
  int columns;
  bool start;
};

template <class Isa, int kVectors, int kRows>
void MixTile(const MixArguments& m) {
  typename Isa::Vector sums[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[r][v] = Isa::Zero();
  }
  const uint16_t* prob = m.prob;
  const int16_t* values = m.values;
  for (int j = 0; j < m.pairs; ++j, prob += 2, values += m.pair_size) {
    typename Isa::Vector keys[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) keys[v] = Isa::Load(values + 2 * v * Isa::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const typename Isa::Vector x = Isa::Broadcast32(prob + r * m.prob_stride);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = Isa::DotWords(sums[r][v], x, keys[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    int64_t* row = m.out + r * m.out_stride;
    if (m.columns >= kVectors * Isa::kLanes) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) Isa::Accumulate(row + v * Isa::kLanes, sums[r][v], m.start);
    } else {
      int32_t lanes[kVectors * Isa::kLanes];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) Isa::Store(lanes + v * Isa::kLanes, sums[r][v]);
      for (int c = 0; c < m.columns; ++c) row[c] = lanes[c] + (m.start ? 0 : row[c]);
    }
  }
}

// Tiles of 1..kMixVectors vectors x 1..kMixRows rows, one after the other.
template <class Isa, size_t... kIndex>
constexpr auto MixTilesOf(std::index_sequence<kIndex...>) {
  constexpr int kRows = Isa::kMixRows;
  return std::array{&MixTile<Isa, int{kIndex} / kRows + 1, int{kIndex} % kRows + 1>...};
}

template <class Isa>
void Mix(const AttentionMix& a) {
  constexpr int kRows = Isa::kMixRows, kLanes = Isa::kLanes;
  static constexpr auto kTiles = MixTilesOf<Isa>(std::make_index_sequence<Isa::kMixVectors * kRows>());
  const size_t pair_size = 2 * static_cast<size_t>(a.d), d = static_cast<size_t>(a.d);
  const int padded = RoundUp(a.count, kPanel);
  const int tile_rows = BlockSize(a.rows, kRows, 1);
  for (int j = 0; j < padded; j += kMixKeys) {
    const int pairs = std::min(kMixKeys, padded - j) / 2;
    const int16_t* values = a.values + static_cast<size_t>(j / 2) * pair_size;
    for (int c = 0; c < a.d; c += Isa::kMixVectors * kLanes) {
      const int vectors = std::min(Isa::kMixVectors, (a.d - c + kLanes - 1) / kLanes);
      for (int i = 0; i < a.rows; i += tile_rows) {
        const int rows = std::min(tile_rows, a.rows - i);
        kTiles[(vectors - 1) * kRows + rows - 1]({a.prob + static_cast<size_t>(i) * a.prob_stride + j, a.prob_stride,
                                                  values + 2 * c, pair_size, pairs,
                                                  a.out + static_cast<size_t>(i) * d + c, d, a.d - c, j == 0});
      }
    }
  }
}

}  // namespace intsam::internal::vnni

namespace intsam::internal {

// What the avx512vnni tier mixes by, for heads that are too small for the amx tier's.
void Avx2PackValues(const PackValues& p);
void Avx512vnniAttentionMix(const AttentionMix& m);

}  // namespace intsam::internal

#endif  // INTSAM_KERNELS_NN_MIX_VNNI_H_
