// Requantisation, quantisation and GELU of every tier against the scalar kernels, which run on tightly packed buffers
// while the tier runs on strided, guarded ones. Ranges are exactly those that kernels.h and the loader's proof allow.
#include "kernels/numerics/fixed_point.h"
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

using test::Guarded;
using test::Random;

class EpilogueTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(EpilogueTest);

constexpr int kWidths[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                           15, 16, 17, 18, 19, 31, 32, 33, 34, 35, 63, 64, 65, 67};
constexpr uint8_t kFlips[] = {0x00, 0x80};

struct CodeRange {
  int k, zero, lo, hi;
};
constexpr CodeRange kCodeRanges[] = {{6, 128, 0, 255}, {6, 255, 0, 255}, {6, 0, 0, 255},   {0, 0, 0, 255},
                                     {0, 255, 0, 255}, {3, 7, 0, 15},    {5, 40, 40, 255}, {1, 90, 1, 200},
                                     {2, 128, 1, 255}, {4, 3, 3, 3},     {6, 64, 0, 127}};

// ---------------------------------------------------------------- RQ16 and its GELU form

struct NarrowStrip {
  int rows, n;
  std::vector<int32_t> acc;
  std::vector<int16_t> mult;
  std::vector<uint8_t> shift;
  int up = 0;
};

NarrowStrip RandomNarrowStrip(Random& random, int rows, int n) {
  NarrowStrip s{rows, n, {}, {}, {}, static_cast<int>(random.Chance(2) ? 0 : random.In(1, 12))};
  for (int j = 0; j < n; ++j) {
    s.shift.push_back(static_cast<uint8_t>(random.Chance(4) ? 0 : random.Chance(4) ? 24 : random.In(0, 24)));
    s.mult.push_back(static_cast<int16_t>(random.Chance(4)   ? 1 << 14
                                          : random.Chance(4) ? 32767
                                                             : random.In(1 << 14, 32767)));
  }
  for (int i = 0; i < rows * n; ++i) {
    const int p = s.shift[static_cast<size_t>(i % n)];
    const int64_t half = p == 0 ? 0 : int64_t{1} << (p - 1);
    const int64_t limit = 2147483647 - half;
    // Ties of the first shift, values around the s16 saturation, and any magnitude.
    const int64_t near =
        random.Chance(2) ? (random.In(-300, 300) << p) + half : (random.In(-33000, 33000) << p) + random.In(-1, 1);
    s.acc.push_back(
        static_cast<int32_t>((random.Chance(2) ? random.Wide(limit) : std::clamp(near, -limit, limit)) >> s.up));
  }
  return s;
}

struct GeluFields {
  int unit_bits;
  int16_t out_mult;
};

// With `gelu` null runs requantize_narrow, else requantize_gelu.
std::vector<uint8_t> RunNarrow(const Kernels& kernels, const NarrowStrip& s, const CodeRange& r, const GeluFields* gelu,
                               uint8_t flip, int extra) {
  const size_t n = static_cast<size_t>(s.n), rows = static_cast<size_t>(s.rows);
  const size_t acc_stride = static_cast<size_t>(RoundUp(s.n, kPanel) + extra),
               out_stride = n + static_cast<size_t>(extra);
  Guarded<int32_t> acc(s.acc, n, acc_stride);
  Guarded<int16_t> mult(s.mult);
  Guarded<uint8_t> shift(s.shift);
  Guarded<uint8_t> out((rows - 1) * out_stride + n);
  if (gelu == nullptr) {
    kernels.requantize_narrow({acc.data(), acc_stride, s.up, mult.data(), shift.data(), r.k, r.zero, r.lo, r.hi, flip,
                               out.data(), out_stride, s.rows, s.n});
  } else {
    kernels.requantize_gelu({acc.data(), acc_stride, s.up, mult.data(), shift.data(), gelu->unit_bits, gelu->out_mult,
                             r.k, r.zero, r.lo, r.hi, flip, out.data(), out_stride, s.rows, s.n});
  }
  return out.Rows(rows, n, out_stride);
}

TEST_P(EpilogueTest, RequantizeNarrow) {
  Random random(11);
  for (const CodeRange& range : kCodeRanges) {
    for (int n : kWidths) {
      for (uint8_t flip : kFlips) {
        const NarrowStrip s = RandomNarrowStrip(random, static_cast<int>(random.In(1, 5)), n);
        ASSERT_EQ(RunNarrow(*GetParam(), s, range, nullptr, flip, static_cast<int>(random.In(0, 20))),
                  RunNarrow(ScalarKernels(), s, range, nullptr, flip, 0))
            << "n " << n << " k " << range.k << " zero " << range.zero << " flip " << int{flip};
      }
    }
  }
}

TEST_P(EpilogueTest, RequantizeGelu) {
  Random random(12);
  for (const CodeRange& range : kCodeRanges) {
    for (int n : kWidths) {
      for (int e = 9; e <= 12; ++e) {
        const NarrowStrip s = RandomNarrowStrip(random, static_cast<int>(random.In(1, 4)), n);
        const int16_t mults[] = {32767, 1 << 14, 1, static_cast<int16_t>(random.In(1, 32767))};
        const GeluFields gelu{e, mults[random.In(0, 3)]};
        const uint8_t flip = kFlips[random.In(0, 1)];
        ASSERT_EQ(RunNarrow(*GetParam(), s, range, &gelu, flip, static_cast<int>(random.In(0, 20))),
                  RunNarrow(ScalarKernels(), s, range, &gelu, flip, 0))
            << "n " << n << " e " << e << " k " << range.k << " zero " << range.zero << " out_mult " << gelu.out_mult;
      }
    }
  }
}

// ---------------------------------------------------------------- RQ32

struct WideStrip {
  int rows, n;
  std::vector<int32_t> acc, mult;
  std::vector<uint8_t> shift;
  std::vector<int32_t> add;
  std::vector<int16_t> add16;
};

int32_t RandomMult32(Random& random) {
  return static_cast<int32_t>(random.Chance(4)   ? 1 << 30
                              : random.Chance(4) ? INT32_MAX
                                                 : random.In(1 << 30, INT32_MAX));
}

int RandomShift32(Random& random) {
  return static_cast<int>(random.Chance(6) ? 1 : random.Chance(6) ? 62 : random.In(1, 62));
}

WideStrip RandomWideStrip(Random& random, int rows, int n) {
  WideStrip s{rows, n, {}, {}, {}, {}, {}};
  for (int j = 0; j < n; ++j) {
    s.mult.push_back(RandomMult32(random));
    s.shift.push_back(static_cast<uint8_t>(RandomShift32(random)));
  }
  for (int i = 0; i < rows * n; ++i) {
    const size_t j = static_cast<size_t>(i % n);
    s.acc.push_back(static_cast<int32_t>(random.Wide(test::Rq32Limit(s.mult[j], s.shift[j]))));
    s.add.push_back(static_cast<int32_t>(random.Wide(kR24Max)));
    s.add16.push_back(static_cast<int16_t>(random.Wide(32767)));
  }
  return s;
}

enum class Add { kNone, k32, k16, kInPlace };

std::vector<int32_t> RunR24(const Kernels& kernels, const WideStrip& s, Add mode, int extra) {
  const size_t n = static_cast<size_t>(s.n), rows = static_cast<size_t>(s.rows);
  const size_t stride = n + static_cast<size_t>(extra), acc_stride = static_cast<size_t>(RoundUp(s.n, kPanel) + extra);
  Guarded<int32_t> acc(s.acc, n, acc_stride), mult(s.mult), add(s.add, n, stride + 1), out(s.add, n, stride);
  Guarded<uint8_t> shift(s.shift);
  Guarded<int16_t> add16(s.add16, n, stride + 2);
  RequantizeR24 a{acc.data(), acc_stride, {mult.data(), shift.data()}, nullptr, 0, nullptr, 0, out.data(), stride,
                  s.rows,     s.n};
  if (mode == Add::k32) a.add = add.data(), a.add_stride = stride + 1;
  if (mode == Add::kInPlace) a.add = out.data(), a.add_stride = stride;
  if (mode == Add::k16) a.add16 = add16.data(), a.add16_stride = stride + 2;
  kernels.requantize_r24(a);
  return out.Rows(rows, n, stride);
}

TEST_P(EpilogueTest, RequantizeR24) {
  Random random(13);
  for (int n : kWidths) {
    for (Add mode : {Add::kNone, Add::k32, Add::k16, Add::kInPlace}) {
      for (int repeat = 0; repeat < 4; ++repeat) {
        const WideStrip s = RandomWideStrip(random, static_cast<int>(random.In(1, 5)), n);
        ASSERT_EQ(RunR24(*GetParam(), s, mode, static_cast<int>(random.In(0, 20))), RunR24(ScalarKernels(), s, mode, 0))
            << "n " << n << " mode " << static_cast<int>(mode);
      }
    }
  }
}

TEST_P(EpilogueTest, RequantizeR24InPlaceEqualsOutOfPlace) {
  Random random(14);
  const WideStrip s = RandomWideStrip(random, 3, 35);
  EXPECT_EQ(RunR24(*GetParam(), s, Add::kInPlace, 5), RunR24(*GetParam(), s, Add::k32, 5));
}

std::vector<int16_t> RunS16(const Kernels& kernels, const WideStrip& s, int lo, int hi, Add mode, int extra) {
  const size_t n = static_cast<size_t>(s.n), rows = static_cast<size_t>(s.rows);
  const size_t stride = n + static_cast<size_t>(extra), acc_stride = static_cast<size_t>(RoundUp(s.n, kPanel) + extra);
  Guarded<int32_t> acc(s.acc, n, acc_stride), mult(s.mult);
  Guarded<uint8_t> shift(s.shift);
  Guarded<int16_t> add(s.add16, n, stride + 1), out(s.add16, n, stride);
  RequantizeS16 a{acc.data(), acc_stride, {mult.data(), shift.data()}, lo, hi, out.data(), stride, s.rows, s.n};
  if (mode == Add::k16) a.add = add.data(), a.add_stride = stride + 1;
  if (mode == Add::kInPlace) a.add = out.data(), a.add_stride = stride;
  kernels.requantize_s16(a);
  return out.Rows(rows, n, stride);
}

TEST_P(EpilogueTest, RequantizeS16) {
  Random random(15);
  constexpr int kRanges[][2] = {{-32767, 32767}, {0, 32767}, {-2047, 2047}, {5, 5}};
  for (int n : kWidths) {
    for (auto [lo, hi] : kRanges) {
      for (Add mode : {Add::kNone, Add::k16, Add::kInPlace}) {
        for (int repeat = 0; repeat < 3; ++repeat) {
          const WideStrip s = RandomWideStrip(random, static_cast<int>(random.In(1, 5)), n);
          ASSERT_EQ(RunS16(*GetParam(), s, lo, hi, mode, static_cast<int>(random.In(0, 20))),
                    RunS16(ScalarKernels(), s, lo, hi, mode, 0))
              << "n " << n << " lo " << lo << " hi " << hi << " mode " << static_cast<int>(mode);
        }
      }
    }
  }
}

// Sums that come to lie around the limits, and requantised values far beyond them, which must not wrap with the addend.
TEST_P(EpilogueTest, RequantizeS16SaturatesTheSumOnce) {
  WideStrip s{1, 0, {}, {}, {}, {}, {}};
  for (const int64_t value : {-2147483646, -2147450880, -98304, -65537, -65535, -65534, -32768, -1, 0, 1, 32768, 65534,
                              65535, 65537, 98304, 2147450880, 2147483646}) {
    for (const int add : {-32767, -1, 0, 1, 32767}) {
      s.acc.push_back(static_cast<int32_t>(value)), s.mult.push_back(1 << 30), s.shift.push_back(30);
      s.add.push_back(0), s.add16.push_back(static_cast<int16_t>(add));
    }
  }
  s.n = static_cast<int>(s.acc.size());
  std::vector<int16_t> expected;
  for (size_t i = 0; i < s.acc.size(); ++i) {
    expected.push_back(static_cast<int16_t>(std::clamp<int64_t>(int64_t{s.acc[i]} + s.add16[i], -32767, 32767)));
  }
  EXPECT_EQ(RunS16(*GetParam(), s, -32767, 32767, Add::k16, 3), expected);
}

// ---------------------------------------------------------------- element-wise

enum class Source { kX, kSum, kWide };

TEST_P(EpilogueTest, QuantizeCodes) {
  Random random(16);
  for (int n : kWidths) {
    for (Source source : {Source::kX, Source::kSum, Source::kWide}) {
      for (int repeat = 0; repeat < 12; ++repeat) {
        const CodeRange range = kCodeRanges[static_cast<size_t>(random.In(0, std::size(kCodeRanges) - 1))];
        const int32_t mult = RandomMult32(random);
        const int shift = RandomShift32(random);
        const int64_t proven = test::Rq32Limit(mult, shift);
        const int64_t limit =
            std::min<int64_t>(source == Source::kWide ? kR24Max : 32767, proven / (source == Source::kSum ? 2 : 1));
        std::vector<int16_t> x, y;
        std::vector<int32_t> wide;
        for (int i = 0; i < n; ++i) {
          x.push_back(static_cast<int16_t>(random.Wide(std::min<int64_t>(limit, 32767))));
          y.push_back(random.Chance(3) ? x.back() : static_cast<int16_t>(random.Wide(std::min<int64_t>(limit, 32767))));
          wide.push_back(static_cast<int32_t>(random.Wide(limit)));
        }
        Guarded<int16_t> gx(x), gy(y);
        Guarded<int32_t> gw(wide);
        Guarded<uint8_t> expected(static_cast<size_t>(n)), out(static_cast<size_t>(n));
        QuantizeCodes q{gx.data(),
                        source == Source::kSum ? gy.data() : nullptr,
                        nullptr,
                        mult,
                        shift,
                        range.zero,
                        range.lo,
                        range.hi,
                        kFlips[random.In(0, 1)],
                        expected.data(),
                        static_cast<size_t>(n)};
        if (source == Source::kWide) q.x = nullptr, q.wide = gw.data();
        ScalarKernels().quantize_codes(q);
        q.out = out.data();
        GetParam()->quantize_codes(q);
        ASSERT_EQ(out.Values(), expected.Values())
            << "n " << n << " source " << static_cast<int>(source) << " shift " << shift;
      }
    }
  }
}

// Scales as models have them, where 256 codes span a part of the s16 range: every value alone, and with another that
// takes the sum past the range.
TEST_P(EpilogueTest, QuantizeCodesOfEveryValue) {
  Random random(18);
  std::vector<int16_t> every(65535), other(65535);
  for (size_t i = 0; i < every.size(); ++i) every[i] = static_cast<int16_t>(static_cast<int>(i) - 32767);
  for (int shift = 16; shift <= 47; ++shift) {
    for (const int32_t mult : {1 << 30, INT32_MAX, INT32_MAX - (1 << 15), INT32_MAX - (1 << 15) + 1,
                               (1 << 30) + (1 << 15), RandomMult32(random)}) {
      if (test::Rq32Limit(mult, shift) < 65534) continue;
      const CodeRange range = kCodeRanges[static_cast<size_t>(random.In(0, std::size(kCodeRanges) - 1))];
      for (int kind = 0; kind < 4; ++kind) {
        for (size_t i = 0; i < every.size(); ++i) {
          other[i] = kind < 2 ? every[i] : static_cast<int16_t>(kind == 2 ? 32767 : random.In(-32767, 32767));
        }
        Guarded<int16_t> x(every), y(other);
        Guarded<uint8_t> expected(every.size()), out(every.size());
        QuantizeCodes q{x.data(),
                        kind == 0 ? nullptr : y.data(),
                        nullptr,
                        mult,
                        shift,
                        range.zero,
                        range.lo,
                        range.hi,
                        kFlips[kind % 2],
                        expected.data(),
                        every.size()};
        ScalarKernels().quantize_codes(q);
        q.out = out.data();
        GetParam()->quantize_codes(q);
        ASSERT_EQ(out.Values(), expected.Values()) << "mult " << mult << " shift " << shift << " kind " << kind;
      }
    }
  }
}

TEST_P(EpilogueTest, AddS16) {
  Random random(21);
  for (int n : kWidths) {
    for (int repeat = 0; repeat < 8; ++repeat) {
      const auto x = random.Values<int16_t>(static_cast<size_t>(n), -32767, 32767);
      auto y = random.Values<int16_t>(static_cast<size_t>(n), -32767, 32767);
      std::vector<int16_t> expected;
      for (size_t i = 0; i < x.size(); ++i) {
        if (random.Chance(4)) y[i] = static_cast<int16_t>(x[i] < 0 ? -32768 - x[i] : 32767 - x[i]);  // at the ends
        expected.push_back(static_cast<int16_t>(std::clamp(x[i] + y[i], -32767, 32767)));
      }
      Guarded<int16_t> gx(x), gy(y), out(expected.size());
      GetParam()->add_s16({gx.data(), gy.data(), out.data(), expected.size()});
      ASSERT_EQ(out.Values(), expected) << "n " << n;
      GetParam()->add_s16({gx.data(), gy.data(), gx.data(), expected.size()});
      ASSERT_EQ(gx.Values(), expected) << "in place, n " << n;
    }
  }
}

TEST_P(EpilogueTest, NarrowR24) {
  Random random(19);
  for (int n : kWidths) {
    for (int repeat = 0; repeat < 8; ++repeat) {
      std::vector<int32_t> x;
      std::vector<int16_t> expected;
      for (int i = 0; i < n; ++i) {
        x.push_back(static_cast<int32_t>(random.Chance(4) ? 256 * random.In(-32767, 32767) + 128 - random.In(0, 1)
                                         : random.Chance(4)
                                             ? (random.Chance(2) ? 1 : -1) * (kR24Max - random.In(0, 400))
                                             : random.Wide(kR24Max)));
        const int32_t rounded = (x.back() + 128) >> 8;
        expected.push_back(static_cast<int16_t>(std::clamp(rounded, -32767, 32767)));
      }
      Guarded<int32_t> gx(x);
      Guarded<int16_t> out(expected.size());
      GetParam()->narrow_r24({gx.data(), out.data(), expected.size()});
      ASSERT_EQ(out.Values(), expected) << "n " << n;
    }
  }
}

TEST_P(EpilogueTest, GeluOfEveryValue) {
  std::vector<int16_t> every(65536);
  for (size_t i = 0; i < every.size(); ++i) every[i] = static_cast<int16_t>(i);
  for (int e = 9; e <= 12; ++e) {
    Guarded<int16_t> expected(every), out(every);
    ScalarKernels().gelu_s16({expected.data(), every.size(), e});
    GetParam()->gelu_s16({out.data(), every.size(), e});
    ASSERT_EQ(out.Values(), expected.Values()) << "e " << e;
  }
}

TEST_P(EpilogueTest, GeluOfShortBuffers) {
  Random random(17);
  for (int n : kWidths) {
    const auto x = random.Values<int16_t>(static_cast<size_t>(n), -32768, 32767);
    const int e = static_cast<int>(random.In(9, 12));
    Guarded<int16_t> expected(x), out(x);
    ScalarKernels().gelu_s16({expected.data(), x.size(), e});
    GetParam()->gelu_s16({out.data(), x.size(), e});
    ASSERT_EQ(out.Values(), expected.Values()) << "n " << n << " e " << e;
  }
}

}  // namespace
}  // namespace intsam::internal
