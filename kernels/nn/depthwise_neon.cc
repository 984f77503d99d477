// NEON depthwise convolutions (docs/numerics.md, section 3.5): SMULL and SMLAL, channels side by side as they lie. Two
// products of codes fit s16 and are added there, those of s16 values in s32.
#include "kernels/isa/neon.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

struct Sums {
  int32x4_t v[4];  // of sixteen channels
};

// The products of two taps, or with kTaps = 1 of one.
template <int kTaps>
void AddCodes(const int8_t* const* pixel, const int8_t* const* weight, Sums& sums) {
  int8x16_t a = vld1q_s8(pixel[0]), w = vld1q_s8(weight[0]);
  int16x8_t low = MulLow(a, w), high = MulHigh(a, w);
  if constexpr (kTaps == 2) {
    a = vld1q_s8(pixel[1]), w = vld1q_s8(weight[1]);
    low = MulAddLow(low, a, w), high = MulAddHigh(high, a, w);
  }
  sums.v[0] = vaddw_s16(sums.v[0], vget_low_s16(low));
  sums.v[1] = vaddw_s16(sums.v[1], vget_high_s16(low));
  sums.v[2] = vaddw_s16(sums.v[2], vget_low_s16(high));
  sums.v[3] = vaddw_s16(sums.v[3], vget_high_s16(high));
}

void AddProducts(const int8_t* const (&pixel)[9], const int8_t* const (&weight)[9], Sums& sums) {
  Unrolled<4>([&]<int kPair>() { AddCodes<2>(pixel + 2 * kPair, weight + 2 * kPair, sums); });
  AddCodes<1>(pixel + 8, weight + 8, sums);
}

void AddProducts(const int16_t* const (&pixel)[9], const int16_t* const (&weight)[9], Sums& sums) {
  Unrolled<9>([&]<int kTap>() {
    const int16x8_t a0 = vld1q_s16(pixel[kTap]), a1 = vld1q_s16(pixel[kTap] + 8);
    const int16x8_t w0 = vld1q_s16(weight[kTap]), w1 = vld1q_s16(weight[kTap] + 8);
    sums.v[0] = MulAddLow(sums.v[0], a0, w0), sums.v[1] = MulAddHigh(sums.v[1], a0, w0);
    sums.v[2] = MulAddLow(sums.v[2], a1, w1), sums.v[3] = MulAddHigh(sums.v[3], a1, w1);
  });
}

template <class Value, class Arguments, class Weight>
void Depthwise(const Arguments& d, const Weight* weights) {
  const size_t channels = static_cast<size_t>(d.channels), step = static_cast<size_t>(d.stride) * channels;
  for (size_t c = 0; c < channels; c += 16) {
    const Value* pixel[9];
    const Weight* weight[9];
    for (size_t tap = 0; tap < 9; ++tap) {
      pixel[tap] = reinterpret_cast<const Value*>(d.rows[tap / 3]) + tap % 3 * channels + c;
      weight[tap] = weights + tap * channels + c;
    }
    int32_t* acc = d.acc + c;
    for (int x = 0; x < d.count; ++x, acc += d.acc_stride) {
      Sums sums;
      Unrolled<4>([&]<int kVector>() { sums.v[kVector] = vld1q_s32(d.bias + c + 4 * kVector); });
      AddProducts(pixel, weight, sums);
      Unrolled<4>([&]<int kVector>() { vst1q_s32(acc + 4 * kVector, sums.v[kVector]); });
      for (const Value*& p : pixel) p += step;
    }
  }
}

void NeonDepthwiseCodes(const DepthwiseCodes& d) { Depthwise<int8_t>(d, d.weight); }
void NeonDepthwiseS16(const DepthwiseS16& d) { Depthwise<int16_t>(d, d.weight); }

}  // namespace

void FillDepthwiseNeon(Kernels& k) {
  k.depthwise_codes = NeonDepthwiseCodes;
  k.depthwise_s16 = NeonDepthwiseS16;
}

}  // namespace intsam::internal
