// Depthwise convolutions (docs/numerics.md, section 3.5) by sums of two products of 16 bits, as a template over the
// vectors of a tier. The pixels of the upper two rows, one above the other, are a pair, as are two neighbours of the
// lowest row; a pair serves every output under which it comes to lie.
//
// kLanes channels are walked along the whole strip, so that their weights stay in registers.
#ifndef INTSAM_KERNELS_NN_DEPTHWISE_PAIRS_H_
#define INTSAM_KERNELS_NN_DEPTHWISE_PAIRS_H_

#include "kernels/tiers.h"

namespace intsam::internal::x86 {

// Channels first..first + kLanes - 1 of a strip. Beside the members of Ymm and Zmm an Isa has Pairs(x, y): pairs of s16
// of kLanes channels, for pixels and weights.
template <class Isa, int kStride, class Arguments>
void DepthwiseChannels(const Arguments& d, int first) {
  using Vector = typename Isa::Vector;
  const size_t channels = static_cast<size_t>(d.channels);
  const auto *upper = d.rows[0] + first, *middle = d.rows[1] + first, *lower = d.rows[2] + first;
  const auto column = [&](size_t x) { return Isa::Pairs(upper + x * channels, middle + x * channels); };
  const auto lower_pair = [&](size_t x) { return Isa::Pairs(lower + x * channels, lower + (x + 1) * channels); };
  const auto tap = [&](size_t i) { return d.weight + i * channels + first; };
  const Vector w0 = Isa::Pairs(tap(0), tap(3)), w1 = Isa::Pairs(tap(1), tap(4)), w2 = Isa::Pairs(tap(2), tap(5));
  const Vector w_lower = Isa::Pairs(tap(6), tap(7));
  const Vector w_last = Isa::template ShiftLeft32<16>(Isa::Pairs(tap(8), tap(8)));  // the left of its pair is done
  const Vector bias = Isa::Load(d.bias + first);

  int32_t* acc = d.acc + first;
  const size_t acc_stride = d.acc_stride;
  // Columns under the three taps, and pairs of the lowest row: of the left and middle taps, of the middle and right
  // ones.
  const auto output = [&](Vector c0, Vector c1, Vector c2, Vector lower0, Vector lower1) {
    // Two chains, since each addition waits for the one before.
    const Vector upper_taps = Isa::DotWords(Isa::DotWords(Isa::DotWords(bias, c0, w0), c1, w1), c2, w2);
    const Vector lower_taps = Isa::DotWords(Isa::DotWords(Isa::Zero(), lower0, w_lower), lower1, w_last);
    Isa::Store(acc, Isa::Add32(upper_taps, lower_taps));
    acc += acc_stride;
  };
  const auto advance = [&](size_t pixels) {
    upper += pixels * channels, middle += pixels * channels, lower += pixels * channels;
  };
  int left = d.count;
  Vector c0 = column(0);
  if (kStride == 1) {
    Vector c1 = column(1), lower0 = lower_pair(0);
    for (; left >= 2; left -= 2) {  // two at a time: fewer registers change their roles
      const Vector c2 = column(2), lower1 = lower_pair(1);
      output(c0, c1, c2, lower0, lower1);
      const Vector c3 = column(3), lower2 = lower_pair(2);
      output(c1, c2, c3, lower1, lower2);
      c0 = c2, c1 = c3, lower0 = lower2;
      advance(2);
    }
    if (left > 0) output(c0, c1, column(2), lower0, lower_pair(1));
  } else {
    for (; left > 0; --left) {
      const Vector c2 = column(2);
      output(c0, column(1), c2, lower_pair(0), lower_pair(1));
      c0 = c2;
      advance(2);
    }
  }
}

template <class Isa, class Arguments>
void Depthwise(const Arguments& d) {
  for (int c = 0; c < d.channels; c += Isa::kLanes) {
    d.stride == 1 ? DepthwiseChannels<Isa, 1>(d, c) : DepthwiseChannels<Isa, 2>(d, c);
  }
}

}  // namespace intsam::internal::x86

#endif  // INTSAM_KERNELS_NN_DEPTHWISE_PAIRS_H_
