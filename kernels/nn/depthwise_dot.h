// Depthwise convolutions of codes (docs/numerics.md, section 3.5) for tiers with dot products of four bytes, as a
// template over their vectors: the three pixels of a column, one above the other, and a zero are the four bytes of a
// channel, made once for the up to three outputs under which the column comes to lie.
//
// kQuads * kLanes channels are walked along the whole strip; of a vector of codes that reaches beyond the last channel,
// what lies there is not used.
#ifndef INTSAM_KERNELS_NN_DEPTHWISE_DOT_H_
#define INTSAM_KERNELS_NN_DEPTHWISE_DOT_H_

#include "kernels/tiers.h"

namespace intsam::internal::depthwise {

constexpr int kQuads = 4;  // vectors of sums for one vector of codes

// Channels first.. of a strip, kVectors vectors of them. Of an Isa: kLanes, the types Vector (of s32) and Bytes, and
//   Columns(a, b, c, out)      (a, b, c, 0) of kQuads * kLanes channels, in their order
//   DotBytes(sum, bytes, w)    adds the four products of every channel
//   Load, Store                a Vector
template <class Isa, int kStride, int kVectors>
void Channels(const DepthwiseCodes& d, int first) {
  using Vector = typename Isa::Vector;
  using Bytes = typename Isa::Bytes;
  const size_t channels = static_cast<size_t>(d.channels);
  Bytes weights[3][kQuads];
  for (size_t kx = 0; kx < 3; ++kx) {
    const int8_t* w = d.weight + kx * channels + first;
    Isa::Columns(w, w + 3 * channels, w + 6 * channels, weights[kx]);
  }
  const uint8_t *upper = d.rows[0] + first, *middle = d.rows[1] + first, *lower = d.rows[2] + first;
  const auto next = [&](Bytes(&out)[kQuads]) {
    Isa::Columns(upper, middle, lower, out);
    upper += channels, middle += channels, lower += channels;
  };
  const int32_t* bias = d.bias + first;
  // Sums of the output whose left and middle columns are done, and with stride 1 of the one after it.
  Vector sums[kVectors], after[kVectors];
  Bytes column[kQuads];
  next(column);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    sums[v] = Isa::DotBytes(Isa::Load(bias + v * Isa::kLanes), column[v], weights[0][v]);
  }
  if (kStride == 1) {
    next(column);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sums[v] = Isa::DotBytes(sums[v], column[v], weights[1][v]);
      after[v] = Isa::DotBytes(Isa::Load(bias + v * Isa::kLanes), column[v], weights[0][v]);
    }
  }
  int32_t* acc = d.acc + first;
  for (int x = 0; x < d.count; ++x, acc += d.acc_stride) {
    if (kStride == 2) {
      next(column);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[v] = Isa::DotBytes(sums[v], column[v], weights[1][v]);
    }
    next(column);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      Isa::Store(acc + v * Isa::kLanes, Isa::DotBytes(sums[v], column[v], weights[2][v]));
      const Vector start = Isa::DotBytes(Isa::Load(bias + v * Isa::kLanes), column[v], weights[0][v]);
      sums[v] = kStride == 1 ? Isa::DotBytes(after[v], column[v], weights[1][v]) : start;
      if (kStride == 1) after[v] = start;
    }
  }
}

// The channels from `first` on, kVectors vectors of them or as many as there are: they come in multiples of 16.
template <class Isa, int kStride, int kVectors = kQuads>
void Block(const DepthwiseCodes& d, int first) {
  constexpr int kFewer = kVectors - kPanel / Isa::kLanes;
  if constexpr (kFewer > 0) {
    if (d.channels - first < kVectors * Isa::kLanes) return Block<Isa, kStride, kFewer>(d, first);
  }
  Channels<Isa, kStride, kVectors>(d, first);
}

template <class Isa>
void Depthwise(const DepthwiseCodes& d) {
  for (int c = 0; c < d.channels; c += kQuads * Isa::kLanes) d.stride == 1 ? Block<Isa, 1>(d, c) : Block<Isa, 2>(d, c);
}

}  // namespace intsam::internal::depthwise

#endif  // INTSAM_KERNELS_NN_DEPTHWISE_DOT_H_
