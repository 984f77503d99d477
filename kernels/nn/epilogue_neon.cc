// NEON epilogues: requantisation of accumulator strips, quantisation of streams to codes, GELU on 16-bit lanes. Every
// step is the instruction docs/numerics.md (sections 2 and 5) names for it, so the integers equal the scalar tier's.
//
// Strips are walked in blocks of 64 channels: the constants of a block are spread to lanes once, then used by all rows.
#include <algorithm>

#include "kernels/isa/neon.h"
#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/gelu.h"
#include "kernels/tiers.h"

namespace intsam::internal {
namespace {

using namespace neon;

constexpr int kBlock = 64;

// ---------------------------------------------------------------- 16-bit lanes

// RQ16W of 8 channels.
struct Rq16Lanes {
  RightLanes right_low, right_high;  // p
  int16x8_t mult;
};

Rq16Lanes MakeRq16Lanes(const int16_t* mult, const uint8_t* shift) {
  return {MakeRightLanes(shift), MakeRightLanes(shift + 4), vld1q_s16(mult)};
}

int16x8_t Apply16(const Rq16Lanes& r, const int32_t* acc, Left32 up) {
  const int32x4_t low = RoundingShift(Shift(vld1q_s32(acc), up), r.right_low);
  const int32x4_t high = RoundingShift(Shift(vld1q_s32(acc + 4), up), r.right_high);
  return vqrdmulhq_s16(Pack16(low, high), r.mult);
}

// From units of 2^-k code to codes.
struct CodeEnd {
  int16x8_t zero;  // (z << k) plus the rounding half
  Right16 right;   // k
  CodeRange range;
};

template <typename Strip>
CodeEnd MakeCodeEnd(const Strip& s) {
  const int half = s.k == 0 ? 0 : 1 << (s.k - 1);
  return {vdupq_n_s16(static_cast<int16_t>((s.zero << s.k) + half)), MakeRight16(s.k),
          MakeCodeRange(s.lo, s.hi, s.flip)};
}

int16x8_t Value(const CodeEnd& e, int16x8_t y) { return Shift(vqaddq_s16(y, e.zero), e.right); }

// GELU of 8 lanes.
class Gelu {
 public:
  explicit Gelu(int unit_bits)
      : inside_(vdupq_n_u16(static_cast<uint16_t>((4 << unit_bits) - 1))),
        in_segment_(vdupq_n_u16(static_cast<uint16_t>((1 << (unit_bits - 2)) - 1))),
        segment_right_(MakeRight16(unit_bits - 2)),
        argument_left_(MakeLeft16(17 - unit_bits)),
        result_right_(MakeRight16(16 - unit_bits)) {
    for (int c = 0; c < 3; ++c) {
      int16_t segments[16];
      for (int i = 0; i < 16; ++i) segments[i] = kGeluTable[i][c];
      coefficients_[c] = LoadTable(segments);
    }
  }

  int16x8_t operator()(int16x8_t x) const {
    const uint16x8_t a = vreinterpretq_u16_s16(vabsq_s16(x));  // -32768 becomes unsigned 32768
    const uint16x8_t ai = vminq_u16(a, inside_);
    const uint16x8_t segment = Shift(ai, segment_right_);
    const int16x8_t u = vreinterpretq_s16_u16(Shift(vandq_u16(ai, in_segment_), argument_left_));
    const auto coefficient = [&](int c) { return vreinterpretq_s16_u16(LookUp16(coefficients_[c], segment)); };
    int16x8_t h = vqrdmulhq_s16(coefficient(2), u);
    h = vqrdmulhq_s16(vaddq_s16(h, coefficient(1)), u);
    h = vaddq_s16(h, coefficient(0));
    const int16x8_t zero = vdupq_n_s16(0);
    const int16x8_t g = vmaxq_s16(RoundingShift(h, result_right_), zero);
    const int16x8_t near = vreinterpretq_s16_u16(vceqq_u16(a, ai));
    return vsubq_s16(vmaxq_s16(x, zero), vandq_s16(g, near));
  }

 private:
  uint16x8_t inside_, in_segment_;
  Right16 segment_right_;
  Left16 argument_left_;
  Right16 result_right_;
  Table32 coefficients_[3];
};

// Stores the codes of convert(8 lanes of RQ16W) for a strip; accumulators and constants are padded to 16 channels.
template <typename Strip, typename Convert>
void NarrowStrip(const Strip& s, Convert convert) {
  const CodeEnd end = MakeCodeEnd(s);
  const Left32 up = MakeLeft32(s.up);
  Rq16Lanes lanes[kBlock / 8];
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < RoundUp(width, 16); j += 8) lanes[j / 8] = MakeRq16Lanes(s.mult + j0 + j, s.shift + j0 + j);
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      uint8_t* out = s.out + static_cast<size_t>(i) * s.out_stride + j0;
      ForEachVector<16>(width, [&](int j, int count) {
        const int16x8_t low = Value(end, convert(Apply16(lanes[j / 8], acc + j, up)));
        const int16x8_t high = Value(end, convert(Apply16(lanes[j / 8 + 1], acc + j + 8, up)));
        StoreFirst(out + j, CodesOf(low, high, end.range), count);
      });
    }
  }
}

void NeonRequantizeNarrow(const RequantizeNarrow& s) {
  NarrowStrip(s, [](int16x8_t y) { return y; });
}

void NeonRequantizeGelu(const RequantizeGelu& s) {
  const Gelu gelu(s.unit_bits);
  const int16x8_t mult = vdupq_n_s16(s.out_mult);
  NarrowStrip(s, [&](int16x8_t y) { return vqrdmulhq_s16(gelu(y), mult); });
}

void NeonGeluS16(const GeluS16& g) {
  const Gelu gelu(g.unit_bits);
  ForEachVector<8>(g.n, [&](size_t i, size_t count) { StoreFirst(g.x + i, gelu(vld1q_s16(g.x + i)), count); });
}

// ---------------------------------------------------------------- RQ32

// Calls step(RQ32 lanes, row, channel, how many of the four channels exist) over a strip; the accumulators are padded.
template <typename Strip, typename Step>
void WideStrip(const Strip& s, Step step) {
  Rq32Lanes lanes[kBlock / 4];
  for (int j0 = 0; j0 < s.n; j0 += kBlock) {
    const int width = std::min(kBlock, s.n - j0);
    for (int j = 0; j < width; j += 4) lanes[j / 4] = MakeRq32Lanes(s.rq.mult + j0 + j, s.rq.shift + j0 + j);
    for (int i = 0; i < s.rows; ++i) {
      const int32_t* acc = s.acc + static_cast<size_t>(i) * s.acc_stride + j0;
      ForEachVector<4>(width, [&](int j, int count) {
        step(Apply(lanes[j / 4], vld1q_s32(acc + j)), static_cast<size_t>(i), static_cast<size_t>(j0 + j), count);
      });
    }
  }
}

void NeonRequantizeR24(const RequantizeR24& s) {
  const int32x4_t lo = vdupq_n_s32(-kR24Max), hi = vdupq_n_s32(kR24Max);
  const auto strip = [&](auto base) {
    WideStrip(s, [&](int32x4_t y, size_t i, size_t j, int count) {
      const int32x4_t sum = vaddq_s32(base(i, j), Clamp32(y, lo, hi));
      StoreFirst(s.out + i * s.out_stride + j, Clamp32(sum, lo, hi), count);
    });
  };
  if (s.add != nullptr) {
    strip([&](size_t i, size_t j) { return vld1q_s32(s.add + i * s.add_stride + j); });
  } else if (s.add16 != nullptr) {
    strip([&](size_t i, size_t j) { return vshll_n_s16(vld1_s16(s.add16 + i * s.add16_stride + j), 8); });
  } else {
    strip([](size_t, size_t) { return vdupq_n_s32(0); });
  }
}

void NeonRequantizeS16(const RequantizeS16& s) {
  const int32x4_t lo = vdupq_n_s32(s.lo), hi = vdupq_n_s32(s.hi);
  const auto strip = [&](auto sum) {
    WideStrip(s, [&](int32x4_t y, size_t i, size_t j, int count) {
      StoreFirst(s.out + i * s.out_stride + j, vmovn_s32(Clamp32(sum(y, i, j), lo, hi)), count);
    });
  };
  if (s.add == nullptr) return strip([](int32x4_t y, size_t, size_t) { return y; });
  strip([&](int32x4_t y, size_t i, size_t j) {
    return vqaddq_s32(y, vmovl_s16(vld1_s16(s.add + i * s.add_stride + j)));
  });
}

void NeonQuantizeCodes(const QuantizeCodes& q) {
  const Rq32Lanes rq = MakeRq32Lanes(q.mult, q.shift);
  // Clamping before the zero point joins gives the same code and cannot wrap.
  const int32x4_t lo = vdupq_n_s32(q.lo - q.zero), hi = vdupq_n_s32(q.hi - q.zero), zero = vdupq_n_s32(q.zero);
  const CodeRange range = MakeCodeRange(q.lo, q.hi, q.flip);
  const auto read = [&](size_t i) {
    if (q.wide != nullptr) return vld1q_s32(q.wide + i);
    const int16x4_t x = vld1_s16(q.x + i);
    return q.y == nullptr ? vmovl_s16(x) : vaddl_s16(x, vld1_s16(q.y + i));
  };
  const auto code = [&](size_t i) { return vaddq_s32(Clamp32(Apply(rq, read(i)), lo, hi), zero); };
  ForEachVector<16>(q.n, [&](size_t i, size_t count) {
    const int16x8_t low = Pack16(code(i), code(i + 4)), high = Pack16(code(i + 8), code(i + 12));
    StoreFirst(q.out + i, CodesOf(low, high, range), count);
  });
}

void NeonAddS16(const AddS16& a) {
  const int16x8_t lo = vdupq_n_s16(-32767);
  ForEachVector<8>(a.n, [&](size_t i, size_t count) {
    StoreFirst(a.out + i, vmaxq_s16(vqaddq_s16(vld1q_s16(a.x + i), vld1q_s16(a.y + i)), lo), count);
  });
}

void NeonNarrowR24(const NarrowR24& r) {
  const int16x8_t lo = vdupq_n_s16(-32767);
  ForEachVector<8>(r.n, [&](size_t i, size_t count) {
    const int16x8_t value =
        vcombine_s16(vqrshrn_n_s32(vld1q_s32(r.x + i), 8), vqrshrn_n_s32(vld1q_s32(r.x + i + 4), 8));
    StoreFirst(r.out + i, vmaxq_s16(value, lo), count);
  });
}

}  // namespace

void FillEpilogueNeon(Kernels& k) {
  k.requantize_narrow = NeonRequantizeNarrow;
  k.requantize_gelu = NeonRequantizeGelu;
  k.requantize_r24 = NeonRequantizeR24;
  k.requantize_s16 = NeonRequantizeS16;
  k.quantize_codes = NeonQuantizeCodes;
  k.add_s16 = NeonAddS16;
  k.gelu_s16 = NeonGeluS16;
  k.narrow_r24 = NeonNarrowR24;
}

}  // namespace intsam::internal
