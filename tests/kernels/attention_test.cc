// Attention kernels of every tier against the scalar ones (packing: against the layout rule; mixing: against a plain
// sum): counts around every vector width, ties, saturated distances, logits at the edge of s32, sums at the edge of
// s64.
#include "tests/kernels/harness.h"

namespace intsam {
namespace {

using test::Guarded;
using test::Random;

class AttentionTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(AttentionTest);

constexpr int kHeadSizes[] = {4, 8, 12, 16, 20, 24, 32, 36, 64, 80};

// ---------------------------------------------------------------- packing

TEST_P(AttentionTest, PackKeys) {
  Random random(31);
  for (int count = 1; count <= 35; ++count) {
    for (int d : kHeadSizes) {
      const size_t keys = static_cast<size_t>(count), width = static_cast<size_t>(d),
                   padded = static_cast<size_t>(RoundUp(count, kPanel));
      const auto k = count % 5 == 0 ? std::vector<int8_t>(keys * width, count % 2 ? -127 : 127)
                                    : random.Values<int8_t>(keys * width, -127, 127);
      const size_t stride = width + static_cast<size_t>(random.In(0, 7));
      Guarded<int8_t> in(k, width, stride), panels(padded * width);
      Guarded<int32_t> sums(padded);
      GetParam()->pack_keys({in.data(), stride, count, d, panels.data(), sums.data()});
      std::vector<int32_t> expected_sums(padded);
      for (size_t i = 0; i < k.size(); ++i) expected_sums[i / width] += k[i];
      ASSERT_EQ(panels.Values(), test::PackPanels(k, count, d)) << "count " << count << " d " << d;
      ASSERT_EQ(sums.Values(), expected_sums) << "count " << count << " d " << d;
    }
  }
}

std::vector<int16_t> PackedValues(const std::vector<int8_t>& v, int count, int d) {
  std::vector<int16_t> packed(static_cast<size_t>(RoundUp(count, kPanel)) * static_cast<size_t>(d));
  for (int j = 0; j < count; ++j) {
    for (int c = 0; c < d; ++c)
      packed[static_cast<size_t>(j / 2 * 2 * d + 2 * c + j % 2)] = v[static_cast<size_t>(j * d + c)];
  }
  return packed;
}

TEST_P(AttentionTest, PackValues) {
  Random random(32);
  for (int count = 1; count <= 35; ++count) {
    for (int d : kHeadSizes) {
      const size_t width = static_cast<size_t>(d), stride = width + static_cast<size_t>(random.In(0, 7));
      const auto v = random.Values<int8_t>(static_cast<size_t>(count) * width, -128, 127);
      const auto expected = PackedValues(v, count, d);
      Guarded<int8_t> in(v, width, stride);
      Guarded<int16_t> values(expected.size());
      GetParam()->pack_values({in.data(), stride, count, d, values.data()});
      ASSERT_EQ(values.Values(), expected) << "count " << count << " d " << d;
    }
  }
}

// ---------------------------------------------------------------- softmax

struct Row {
  int side_h, side_w, shift;
  uint16_t mult;
  std::vector<int32_t> logits, rh, rw;  // rh and rw may be empty
};

struct Softmax {
  std::vector<uint16_t> prob;
  int32_t sum;
  bool operator==(const Softmax&) const = default;
};

Softmax RunSoftmax(const Kernels& kernels, const Row& r) {
  const int count = r.side_h * r.side_w;
  Guarded<int32_t> logits(r.logits), rh(r.rh), rw(r.rw);
  Guarded<uint16_t> prob(static_cast<size_t>(RoundUp(count, kPanel)));
  SoftmaxRow s{logits.data(),
               r.rh.empty() ? nullptr : rh.data(),
               r.rh.empty() ? nullptr : rw.data(),
               r.side_h,
               r.side_w,
               count,
               r.shift,
               r.mult,
               prob.data(),
               -1};
  kernels.softmax_row(s);
  return {prob.Values(), s.sum};
}

constexpr int64_t kLogitLimit = 2147483646;  // section 6.1: everything that is summed stays below 2^31 - 1
constexpr int kLogitStyles = 7;

Row RandomRow(Random& random, int side_h, int side_w, bool biased, int shift, int style) {
  const uint16_t mults[] = {1 << 15, 65535, static_cast<uint16_t>(random.In(1 << 15, 65535))};
  Row r{side_h, side_w, shift, mults[random.In(0, 2)], {}, {}, {}};
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
  for (int x = 0; x < side_w; ++x) r.rw.push_back(static_cast<int32_t>(random.Wide(bias_limit)));
  return r;
}

TEST_P(AttentionTest, SoftmaxOfEveryCountAndShift) {
  Random random(33);
  for (int count = 1; count <= 35; ++count) {
    for (int shift = -15; shift <= 15; ++shift) {
      const int style = static_cast<int>(random.In(0, kLogitStyles - 1));
      const Row r = RandomRow(random, 1, count, false, shift, style);
      ASSERT_EQ(RunSoftmax(*GetParam(), r), RunSoftmax(ScalarKernels(), r))
          << "count " << count << " shift " << shift << " style " << style;
    }
  }
}

TEST_P(AttentionTest, SoftmaxWithRelativePositions) {
  Random random(34);
  constexpr int kSides[][2] = {{1, 1},  {1, 9},  {9, 1},   {2, 3},  {3, 5},   {7, 7},  {4, 8},
                               {5, 16}, {3, 17}, {14, 14}, {2, 19}, {16, 11}, {32, 32}};
  for (auto [h, w] : kSides) {
    for (int style = 0; style < kLogitStyles; ++style) {
      for (int shift : {-15, -8, -1, 0, 1, 7, 15}) {
        const Row r = RandomRow(random, h, w, true, shift, style);
        ASSERT_EQ(RunSoftmax(*GetParam(), r), RunSoftmax(ScalarKernels(), r))
            << h << "x" << w << " style " << style << " shift " << shift;
      }
    }
  }
}

TEST_P(AttentionTest, SoftmaxOfLongRows) {
  Random random(35);
  for (int count : {196, 1000, 4096, 65536}) {
    for (int style : {0, 2, 5}) {
      const Row r = RandomRow(random, 1, count, false, -2, style);
      ASSERT_EQ(RunSoftmax(*GetParam(), r), RunSoftmax(ScalarKernels(), r)) << "count " << count << " style " << style;
    }
  }
}

// Every distance that decodes to a non-zero probability, and the first that do not.
TEST_P(AttentionTest, SoftmaxOfEveryDistance) {
  for (int shift : {-3, -1, 0, 2}) {
    for (uint16_t mult : {uint16_t{1 << 15}, uint16_t{50001}, uint16_t{65535}}) {
      Row r{1, 65536, shift, mult, {}, {}, {}};
      for (int j = 0; j < 65536; ++j) r.logits.push_back(1000000 - (shift > 0 ? (j << shift) + j % (1 << shift) : j));
      ASSERT_EQ(RunSoftmax(*GetParam(), r), RunSoftmax(ScalarKernels(), r)) << "shift " << shift << " mult " << mult;
    }
  }
}

// ---------------------------------------------------------------- mix and output

void CheckMix(const Kernels& kernels, const std::vector<uint16_t>& prob, const std::vector<int8_t>& v, int rows,
              int count, int d, size_t extra) {
  const size_t padded = static_cast<size_t>(RoundUp(count, kPanel)), stride = padded + extra,
               width = static_cast<size_t>(d);
  std::vector<uint16_t> padded_prob;
  std::vector<int64_t> expected;
  for (int i = 0; i < rows; ++i) {
    const uint16_t* row = prob.data() + static_cast<size_t>(i) * static_cast<size_t>(count);
    padded_prob.insert(padded_prob.end(), row, row + count);
    padded_prob.resize(static_cast<size_t>(i + 1) * padded);
    for (size_t c = 0; c < width; ++c) {
      int64_t sum = 0;
      for (size_t j = 0; j < static_cast<size_t>(count); ++j) sum += int64_t{row[j]} * v[j * width + c];
      expected.push_back(sum);
    }
  }
  Guarded<uint16_t> p(padded_prob, padded, stride);
  Guarded<int16_t> values(PackedValues(v, count, d));
  Guarded<int64_t> out(expected.size());
  kernels.attention_mix({p.data(), stride, values.data(), rows, count, d, out.data()});
  ASSERT_EQ(out.Values(), expected) << "rows " << rows << " count " << count << " d " << d;
}

TEST_P(AttentionTest, MixOfEveryShape) {
  Random random(36);
  for (int rows = 1; rows <= 7; ++rows) {
    for (int count : {1, 2, 3, 15, 16, 17, 18, 19, 31, 32, 33, 49, 196}) {
      for (int d : {1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 17, 19, 20, 24, 32, 64, 67, 80}) {
        const auto prob = random.Values<uint16_t>(static_cast<size_t>(rows * count), 0, 32767);
        const auto v = random.Values<int8_t>(static_cast<size_t>(count * d), -128, 127);
        CheckMix(*GetParam(), prob, v, rows, count, d, static_cast<size_t>(random.In(0, 5)));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(AttentionTest, MixDoesNotOverflow) {
  for (int count : {510, 511, 512, 513, 1023, 1024, 1025, 4096, 65536}) {
    const int rows = count > 5000 ? 1 : 3, d = count > 5000 ? 4 : 20;
    for (int value : {-128, 127}) {
      const std::vector<uint16_t> prob(static_cast<size_t>(rows * count), 32767);
      CheckMix(*GetParam(), prob, std::vector<int8_t>(static_cast<size_t>(count * d), static_cast<int8_t>(value)), rows,
               count, d, 0);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(AttentionTest, Output) {
  Random random(37);
  for (int d : {1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 16, 19, 20, 24, 64, 67, 80}) {
    for (int repeat = 0; repeat < 40; ++repeat) {
      const size_t rows = static_cast<size_t>(random.In(1, 5)), width = static_cast<size_t>(d);
      std::vector<int32_t> sums;
      std::vector<int64_t> n;
      for (size_t i = 0; i < rows; ++i) {
        const int bits = static_cast<int>(random.In(1, 31));
        const int64_t edges[] = {INT32_MAX,
                                 32767,
                                 255,
                                 1,
                                 (int64_t{1} << bits) - 1,
                                 random.In(int64_t{1} << (bits - 1), (int64_t{1} << bits) - 1)};
        sums.push_back(static_cast<int32_t>(edges[random.In(0, 5)]));
        for (int c = 0; c < d; ++c)
          n.push_back(random.Chance(2) ? random.Wide(128 * int64_t{sums.back()}) : random.In(-128, 128) * sums.back());
      }
      const int32_t mult = static_cast<int32_t>(random.Chance(4)   ? 1 << 30
                                                : random.Chance(4) ? INT32_MAX
                                                                   : random.In(1 << 30, INT32_MAX));
      const int shift = static_cast<int>(random.Chance(2) ? random.In(29, 33) : random.In(1, 62));
      const bool full = !random.Chance(4);
      const uint8_t flip = random.Chance(2) ? 0x80 : 0x00;
      const size_t stride = width + static_cast<size_t>(random.In(0, 9));
      Guarded<int64_t> in(n);
      Guarded<int32_t> sum(sums);
      Guarded<uint8_t> expected(rows * width), out((rows - 1) * stride + width);
      AttentionOutput a{in.data(),
                        sum.data(),
                        mult,
                        shift,
                        full ? -127 : -7,
                        full ? 127 : 7,
                        flip,
                        expected.data(),
                        width,
                        static_cast<int>(rows),
                        d};
      ScalarKernels().attention_output(a);
      a.out = out.data();
      a.out_stride = stride;
      GetParam()->attention_output(a);
      ASSERT_EQ(out.Rows(rows, width, stride), expected.Values())
          << "d " << d << " shift " << shift << " mult " << mult;
    }
  }
}

// ---------------------------------------------------------------- relative positions

TEST_P(AttentionTest, RelativePosition) {
  Random random(38);
  for (int d : {4, 8, 12, 16, 20, 24, 32, 64, 80, 516}) {
    for (int count : {1, 2, 3, 4, 5, 7, 8, 9, 11, 14, 16, 17, 19, 32, 64}) {
      for (int style = 0; style < 4; ++style) {
        const size_t rows = static_cast<size_t>(random.In(1, 5)), width = static_cast<size_t>(d);
        const int first = static_cast<int>(random.In(0, 5));
        const int limit = random.Chance(2) ? 127 : 32767;
        const size_t table_size = static_cast<size_t>(first + count) * width;
        auto q = random.Values<int8_t>(rows * width, -127, 127);
        auto table = random.Values<int16_t>(table_size, -limit, limit);
        if (style % 2 == 1) std::fill(q.begin(), q.end(), static_cast<int8_t>(style == 1 ? 127 : -127));
        if (style >= 1) std::fill(table.begin(), table.end(), static_cast<int16_t>(style == 2 ? -limit : limit));
        const int32_t mult = static_cast<int32_t>(random.In(1 << 30, INT32_MAX));
        int shift = static_cast<int>(random.In(1, 62));
        while (test::Rq32Limit(mult, shift) < int64_t{d} * 127 * limit) ++shift;  // what the loader proves
        const size_t q_stride = width + static_cast<size_t>(random.In(0, 9));
        const size_t stride = static_cast<size_t>(count) + static_cast<size_t>(random.In(0, 9));
        Guarded<int8_t> gq(q, width, q_stride);
        Guarded<int16_t> gt(table);
        Guarded<int32_t> expected(rows * static_cast<size_t>(count)),
            out((rows - 1) * stride + static_cast<size_t>(count));
        RelativePosition p{gq.data(),
                           q_stride,
                           gt.data(),
                           first,
                           count,
                           mult,
                           shift,
                           expected.data(),
                           static_cast<size_t>(count),
                           static_cast<int>(rows),
                           d};
        ScalarKernels().relative_position(p);
        p.out = out.data();
        p.out_stride = stride;
        GetParam()->relative_position(p);
        ASSERT_EQ(out.Rows(rows, static_cast<size_t>(count), stride), expected.Values())
            << "d " << d << " count " << count << " style " << style;
      }
    }
  }
}

}  // namespace
}  // namespace intsam
