// Probabilities times values (docs/numerics.md 6.4) as products of codes, for tiers whose products of bytes are at
// least twice as fast as those of 16 bits: a probability below 2^15 is two codes, and a strip of rows of low codes
// above rows of high ones times the values, s8 in panels, is a GEMM of twice the rows. Where every high code is zero,
// half of it is left out.
//
// The values of a head lie as [count / kKeys][d / 16][keys / 4][16][4], which fits the buffer from d = 8 on.
#ifndef INTSAM_KERNELS_NN_MIX_CODES_H_
#define INTSAM_KERNELS_NN_MIX_CODES_H_

#include <algorithm>

#include "kernels/kernels.h"

namespace intsam::internal::mix_codes {

constexpr int kLeastDepth = 8;  // smaller heads are another kernel's
constexpr int kColumns = 128;   // of sums at a time

// Of an Isa: kKeys of a block of panels, and
//   PackGroup4(rows, out)     four keys of sixteen columns, side by side
template <class Isa>
void Pack(const PackValues& p) {
  int8_t* out = reinterpret_cast<int8_t*>(p.values);
  for (int j0 = 0; j0 < p.count; j0 += Isa::kKeys) {
    const int keys = RoundUp(std::min(Isa::kKeys, p.count - j0), kPanel);
    for (int c = 0; c < p.d; c += kPanel) {
      for (int j = j0; j < j0 + keys; j += 4, out += 4 * kPanel) {
        // Keys past the last have probability zero: any value serves.
        const int8_t* rows[4];
        for (int r = 0; r < 4; ++r) rows[r] = p.v + static_cast<size_t>(std::min(j + r, p.count - 1)) * p.stride + c;
        Isa::PackGroup4(rows, out);
      }
    }
  }
}

// Of an Isa: kKeys, kMixRows of probabilities at a time, and
//   Split(prob, stride, rows, keys, codes, codes_stride)  to rows of low codes, then rows of high ones; whether any of
//                                                         these differs from zero
//   Gemm(arguments)                                       the product of such codes and panels
//   Combine(low, high, start, columns, out)               sums of both (high may be null) to s64, or added to them
// Sums of a block of keys stay in s32: 2^8 * 2^7 * kKeys.
template <class Isa>
void Mix(const AttentionMix& m) {
  constexpr int kStride = Isa::kKeys + 64;  // of codes; the 64 spreads rows over the sets of L1
  constexpr int kRows = Isa::kMixRows;
  alignas(64) uint8_t codes[2 * kRows * kStride];
  alignas(64) int32_t sums[2 * kRows * kColumns];
  static constexpr int32_t kNoBias[kColumns] = {};
  const int padded = RoundUp(m.count, kPanel);
  const size_t d = static_cast<size_t>(m.d);
  for (int i0 = 0; i0 < m.rows; i0 += kRows) {
    const int rows = std::min(kRows, m.rows - i0);
    const uint16_t* prob = m.prob + static_cast<size_t>(i0) * m.prob_stride;
    const int8_t* panels = reinterpret_cast<const int8_t*>(m.values);
    for (int j = 0; j < padded; j += Isa::kKeys) {
      const int keys = std::min(Isa::kKeys, padded - j);
      const bool high = Isa::Split(prob + j, m.prob_stride, rows, keys, codes, kStride);
      for (int c = 0; c < m.d; c += kColumns) {
        const int columns = std::min(kColumns, m.d - c);
        Isa::Gemm({codes, kStride, S8Panels(panels), kNoBias, sums, kColumns, high ? 2 * rows : rows, columns, keys});
        for (int r = 0; r < rows; ++r) {
          const int32_t* low = sums + r * kColumns;
          Isa::Combine(low, high ? low + rows * kColumns : nullptr, j == 0, columns,
                       m.out + static_cast<size_t>(i0 + r) * d + c);
        }
        panels += static_cast<ptrdiff_t>(RoundUp(columns, kPanel)) * keys;
      }
    }
  }
}

}  // namespace intsam::internal::mix_codes

#endif  // INTSAM_KERNELS_NN_MIX_CODES_H_
