// The softmax kernel of every tier against the scalar one, in all variants: counts around every vector width, ties,
// saturated distances, logits at the edge of s32.
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

using test::Guarded;
using test::Random;

class SoftmaxTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(SoftmaxTest);

struct Row {
  int side_h, side_w, shift;
  uint16_t mult;
  std::vector<int32_t> logits, rh, rw;  // rh and rw may be empty
  size_t rw_stride = 0;
};

struct Result {
  std::vector<uint16_t> prob;
  int32_t sum;
  bool operator==(const Result&) const = default;
};

Result RunSoftmax(const Kernels& kernels, const Row& r, const SoftmaxCode& code) {
  const int count = r.side_h * r.side_w;
  Guarded<int32_t> logits(r.logits), rh(r.rh), rw(r.rw);
  Guarded<uint16_t> prob(static_cast<size_t>(RoundUp(count, kPanel)));
  SoftmaxRow s{logits.data(),
               r.rh.empty() ? nullptr : rh.data(),
               r.rh.empty() ? nullptr : rw.data(),
               r.rw_stride,
               r.side_h,
               r.side_w,
               count,
               r.shift,
               r.mult,
               code,
               prob.data(),
               -1};
  kernels.softmax_row(s);
  return {prob.Values(), s.sum};
}

// Scales from the narrowest to the widest allowed, most often those of real probabilities.
SoftmaxCode RandomCode(Random& random, SoftmaxVariant variant, int bits, int tau_shift) {
  SoftmaxCode code{variant, bits, tau_shift, 0, 0, 0};
  const int64_t log2_scales[] = {-32767, 4096, 0, random.In(-32767, 4096), random.In(-16000, 0)};
  code.log2_scale = static_cast<int32_t>(log2_scales[random.In(0, 4)]);
  code.step_mult = static_cast<uint16_t>(random.Chance(4) ? 65535 : random.In(1 << 15, 65535));
  code.step_shift = static_cast<int>(random.Chance(3) ? random.In(-16, 24) : random.In(15 - bits - 6, 15 - bits));
  return code;
}

SoftmaxCode RandomCode(Random& random) {
  const SoftmaxVariant variants[] = {SoftmaxVariant::kE16, SoftmaxVariant::kU8, SoftmaxVariant::kAgq};
  return RandomCode(random, variants[random.In(0, 2)], static_cast<int>(random.In(2, 8)),
                    static_cast<int>(random.In(0, 4)));
}

void ExpectAsScalar(const Kernels& kernels, const Row& r, const SoftmaxCode& code) {
  const Result got = RunSoftmax(kernels, r, code), expected = RunSoftmax(ScalarKernels(), r, code);
  ASSERT_EQ(got, expected) << r.side_h << "x" << r.side_w << " shift " << r.shift << " mult " << r.mult << " variant "
                           << static_cast<int>(code.variant) << " bits " << code.bits << " kt " << code.tau_shift
                           << " log2_scale " << code.log2_scale << " step " << code.step_mult << " " << code.step_shift;
}

constexpr int64_t kLogitLimit = 2147483646;  // section 6.1: everything that is summed stays below 2^31 - 1
constexpr int kLogitStyles = 7;

Row RandomRow(Random& random, int side_h, int side_w, bool biased, int shift, int style) {
  const uint16_t mults[] = {1 << 15, 65535, static_cast<uint16_t>(random.In(1 << 15, 65535))};
  Row r{side_h, side_w, shift, mults[random.In(0, 2)], {}, {}, {}, 0};
  const int count = side_h * side_w;
  const int64_t logit_limit = biased ? kLogitLimit / 2 : kLogitLimit;
  // One log2 unit is about 2^(shift + 11) logits: the interesting range is 16 of them.
  const int64_t unit = std::min<int64_t>(int64_t{1} << std::clamp(shift + 12, 1, 29), logit_limit);
  const int64_t base = random.Wide(logit_limit - unit);
  for (int j = 0; j < count; ++j) {
    const int64_t values[kLogitStyles] = {
        random.In(-unit, unit) * (style == 0 ? 8 : 1),
        random.Wide(logit_limit),
        base,                                                 // all tied
        j == count / 2 ? logit_limit : -logit_limit,          // the largest distance there is
        base + random.In(-unit, unit),                        // a narrow row anywhere in s32
        random.Chance(3) ? base : base - random.In(0, unit),  // many tied for the maximum
        base - j % 40,                                        // neighbouring distances
    };
    r.logits.push_back(static_cast<int32_t>(std::clamp(values[style], -logit_limit, logit_limit)));
  }
  if (!biased) return r;
  const int64_t bias_limit = style == 3 ? kLogitLimit / 4 : std::min<int64_t>(kLogitLimit / 4, 2 * unit);
  for (int y = 0; y < side_h; ++y) r.rh.push_back(static_cast<int32_t>(random.Wide(bias_limit)));
  if (random.Chance(2)) r.rw_stride = static_cast<size_t>(side_w + random.In(0, 5));
  const size_t values = r.rw_stride * static_cast<size_t>(side_h - 1) + static_cast<size_t>(side_w);
  for (size_t x = 0; x < values; ++x) r.rw.push_back(static_cast<int32_t>(random.Wide(bias_limit)));
  return r;
}

constexpr SoftmaxCode kE16 = {};

// What is added to a logit, against the logits with all of it added beforehand.
TEST(ScalarSoftmax, PositionsAreAdded) {
  Random random(35);
  for (int i = 0; i < 200; ++i) {
    Row r = RandomRow(random, static_cast<int>(random.In(1, 9)), static_cast<int>(random.In(1, 9)), true, 4, 0);
    const SoftmaxCode code = RandomCode(random);
    const Result got = RunSoftmax(ScalarKernels(), r, code);
    for (size_t y = 0, key = 0; y < r.rh.size(); ++y) {
      for (size_t x = 0; x < static_cast<size_t>(r.side_w); ++x, ++key)
        r.logits[key] += r.rh[y] + r.rw[y * r.rw_stride + x];
    }
    r.rh.clear(), r.rw.clear();
    EXPECT_EQ(got, RunSoftmax(ScalarKernels(), r, code)) << r.side_h << "x" << r.side_w;
  }
}

TEST_P(SoftmaxTest, EveryCountAndShift) {
  Random random(33);
  for (int count = 1; count <= 70; ++count) {
    for (int shift = -15; shift <= 15; ++shift) {
      const Row r = RandomRow(random, 1, count, false, shift, static_cast<int>(random.In(0, kLogitStyles - 1)));
      ExpectAsScalar(*GetParam(), r, kE16);
      ExpectAsScalar(*GetParam(), r, RandomCode(random));
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(SoftmaxTest, RelativePositions) {
  Random random(34);
  constexpr int kSides[][2] = {{1, 1},   {1, 9},  {9, 1},   {2, 3},   {3, 5},  {7, 7},  {4, 8},   {5, 16}, {3, 17},
                               {14, 14}, {2, 19}, {16, 11}, {32, 32}, {1, 64}, {5, 64}, {3, 128}, {2, 192}};
  for (auto [h, w] : kSides) {
    for (int style = 0; style < kLogitStyles; ++style) {
      for (int shift : {-15, -8, -1, 0, 1, 7, 15}) {
        const Row r = RandomRow(random, h, w, true, shift, style);
        ExpectAsScalar(*GetParam(), r, kE16);
        ExpectAsScalar(*GetParam(), r, RandomCode(random));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(SoftmaxTest, EveryCode) {
  Random random(36);
  for (SoftmaxVariant variant : {SoftmaxVariant::kU8, SoftmaxVariant::kAgq}) {
    for (int bits = 2; bits <= 8; ++bits) {
      for (int tau_shift = 0; tau_shift <= (variant == SoftmaxVariant::kAgq ? 4 : 0); ++tau_shift) {
        for (int repeat = 0; repeat < 100; ++repeat) {
          const int count = static_cast<int>(random.In(1, 70)), shift = static_cast<int>(random.In(-15, 15));
          const int style = static_cast<int>(random.In(0, kLogitStyles - 1));
          ExpectAsScalar(*GetParam(), RandomRow(random, 1, count, false, shift, style),
                         RandomCode(random, variant, bits, tau_shift));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(SoftmaxTest, LongRows) {
  Random random(35);
  for (int count : {196, 1000, 4096, 65536}) {
    for (int style : {0, 2, 5}) {
      const Row r = RandomRow(random, 1, count, false, -2, style);
      ExpectAsScalar(*GetParam(), r, kE16);
      for (int repeat = 0; repeat < 8; ++repeat) ExpectAsScalar(*GetParam(), r, RandomCode(random));
      if (HasFatalFailure()) return;
    }
  }
}

// Every distance that decodes to a non-zero probability, and the first that do not.
TEST_P(SoftmaxTest, EveryDistance) {
  Random random(37);
  for (int shift : {-3, -1, 0, 2}) {
    for (uint16_t mult : {uint16_t{1 << 15}, uint16_t{50001}, uint16_t{65535}}) {
      Row r{1, 65536, shift, mult, {}, {}, {}};
      for (int j = 0; j < 65536; ++j) r.logits.push_back(1000000 - (shift > 0 ? (j << shift) + j % (1 << shift) : j));
      ExpectAsScalar(*GetParam(), r, kE16);
      for (int tau_shift = 0; tau_shift <= 4; ++tau_shift) {
        const int bits = static_cast<int>(random.In(4, 8));
        ExpectAsScalar(*GetParam(), r, RandomCode(random, SoftmaxVariant::kAgq, bits, tau_shift));
        ExpectAsScalar(*GetParam(), r, RandomCode(random, SoftmaxVariant::kU8, bits, tau_shift));
      }
      if (HasFatalFailure()) return;
    }
  }
}

// Steps from far too coarse to so fine that the smallest exponentials saturate: both directions of the U8 shift.
TEST_P(SoftmaxTest, EveryUniformStep) {
  Row r{1, 40, -1, 1 << 15, {}, {}, {}};  // t is the distance
  for (int j = 0; j < 40; ++j) r.logits.push_back(j < 20 ? -j * 1637 : -(14 * 2048 + (j - 20) * 100));
  for (int bits = 2; bits <= 8; ++bits) {
    for (int shift = -16; shift <= 24; ++shift) {
      for (uint16_t mult : {uint16_t{1 << 15}, uint16_t{50001}, uint16_t{65535}}) {
        ExpectAsScalar(*GetParam(), r, {SoftmaxVariant::kU8, bits, 0, 0, mult, shift});
        if (HasFatalFailure()) return;
      }
    }
  }
}

// A key at an infinite distance has probability zero at both ends of the scale.
TEST_P(SoftmaxTest, InfinitelyFarIsZero) {
  for (int tau_shift = 0; tau_shift <= 4; ++tau_shift) {
    for (int32_t log2_scale : {-32767, 0, 4096}) {
      const SoftmaxCode code{SoftmaxVariant::kAgq, 8, tau_shift, log2_scale, 1 << 15, 0};
      const Result result = RunSoftmax(*GetParam(), {1, 2, 0, 65535, {0, -65535}, {}, {}}, code);
      EXPECT_EQ(result.sum, 32767);
      EXPECT_EQ(result.prob[1], 0) << tau_shift << " " << log2_scale;
      EXPECT_GT(result.prob[0], 0) << tau_shift << " " << log2_scale;
    }
  }
}

// ---------------------------------------------------------------- few keys, all heads of a row

struct HeadsCase {
  int rows, heads, keys, shift;
  uint16_t mult;
  std::vector<int32_t> logits;
  size_t columns() const { return static_cast<size_t>(heads) * static_cast<size_t>(keys); }
};

std::vector<int16_t> RunHeads(const Kernels& kernels, const HeadsCase& c) {
  const size_t padded = static_cast<size_t>(RoundUp(c.heads * c.keys, 4)), stride = c.columns() + 5;
  Guarded<int32_t> logits(c.logits, c.columns(), stride);
  Guarded<int16_t> prob((static_cast<size_t>(c.rows) - 1) * (padded + 3) + padded);
  kernels.softmax_heads({logits.data(), stride, c.rows, c.heads, c.keys, c.shift, c.mult, prob.data(), padded + 3});
  return prob.Rows(static_cast<size_t>(c.rows), padded, padded + 3);
}

HeadsCase RandomHeads(Random& random, int heads, int keys) {
  HeadsCase c{static_cast<int>(random.In(1, 3)),
              heads,
              keys,
              static_cast<int>(random.In(-15, 15)),
              static_cast<uint16_t>(random.Chance(5) ? 65535 : random.In(1 << 15, 65535)),
              {}};
  const int64_t limit = int64_t{1} << random.In(1, 30);
  c.logits.resize(static_cast<size_t>(c.rows) * c.columns());
  for (int32_t& logit : c.logits) logit = static_cast<int32_t>(random.Wide(limit));
  return c;
}

TEST_P(SoftmaxTest, HeadsSideBySide) {
  Random random(38);
  for (int heads : {1, 2, 4, 7, 8, 9, 12, 16}) {
    for (int keys : {1, 2, 5, 7, 8, 9, 33, 263, 512}) {
      for (int repeat = 0; repeat < 12; ++repeat) {
        const HeadsCase c = RandomHeads(random, heads, keys);
        EXPECT_EQ(RunHeads(*GetParam(), c), RunHeads(ScalarKernels(), c)) << heads << " heads, " << keys << " keys";
        if (HasFailure()) return;
      }
    }
  }
}

// Each head is softmax_row of its own keys, divided by their sum to within one unit, and never more than one.
TEST_P(SoftmaxTest, HeadsAreDividedRows) {
  Random random(39);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const HeadsCase c = RandomHeads(random, static_cast<int>(random.In(1, 9)), static_cast<int>(random.In(1, 40)));
    const size_t heads = static_cast<size_t>(c.heads), padded = static_cast<size_t>(RoundUp(c.heads * c.keys, 4));
    const std::vector<int16_t> prob = RunHeads(*GetParam(), c);
    for (size_t row = 0; row < static_cast<size_t>(c.rows); ++row) {
      for (size_t h = 0; h < heads; ++h) {
        Row r{1, c.keys, c.shift, c.mult, {}, {}, {}};
        for (size_t at = h; at < c.columns(); at += heads) r.logits.push_back(c.logits[row * c.columns() + at]);
        const Result whole = RunSoftmax(ScalarKernels(), r, kE16);
        for (size_t t = 0; t < r.logits.size(); ++t) {
          const int p = prob[row * padded + t * heads + h];
          EXPECT_LE(std::abs(int64_t{p} * whole.sum - (int64_t{whole.prob[t]} << 15)), whole.sum);
          EXPECT_TRUE(p >= 0 && p <= 32767);
        }
      }
      for (size_t at = c.columns(); at < padded; ++at) EXPECT_EQ(prob[row * padded + at], 0);
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace intsam::internal
