// Attention kernels of every tier against the scalar ones (packing: against the layout rule; mixing: against a plain
// sum): counts around every vector width, sums at the edge of s64. The softmax is softmax_test.cc.
#include "kernels/numerics/softmax.h"
#include "tests/kernels/harness.h"

namespace intsam::internal {
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
                                    : random.Values<int8_t>(keys * width, -128, 127);
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

// ---------------------------------------------------------------- mix and output

// What pack_values writes is a matter between it and the mix of the same tier, so both are tested together.
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
  const size_t v_stride = width + extra;
  Guarded<int8_t> unpacked(v, width, v_stride);
  Guarded<int16_t> values(padded * width);
  kernels.pack_values({unpacked.data(), v_stride, count, d, values.data()});
  Guarded<int64_t> out(expected.size());
  kernels.attention_mix({p.data(), stride, values.data(), rows, count, d, out.data()});
  ASSERT_EQ(out.Values(), expected) << "rows " << rows << " count " << count << " d " << d;
}

TEST_P(AttentionTest, MixOfEveryShape) {
  Random random(36);
  for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17}) {
    for (int count : {1, 2, 3, 15, 16, 17, 18, 19, 31, 32, 33, 49, 196}) {
      for (int d : {1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 17, 19, 20, 24, 32, 64, 67, 80, 132}) {
        const auto prob = random.Values<uint16_t>(static_cast<size_t>(rows * count), 0, random.Chance(4) ? 255 : 32767);
        const auto v = random.Values<int8_t>(static_cast<size_t>(count * d), -128, 127);
        CheckMix(*GetParam(), prob, v, rows, count, d, static_cast<size_t>(random.In(0, 5)));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(AttentionTest, MixDoesNotOverflow) {
  for (int count : {510, 511, 512, 513, 1023, 1024, 1025, 4096, 65536}) {
    const int rows = count > 5000 ? 1 : count > 2000 ? 3 : 17, d = count > 5000 ? 4 : 20;
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
          n.push_back(random.Chance(2) ? random.Wide(255 * int64_t{sums.back()}) : random.In(-255, 255) * sums.back());
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
                        0,
                        mult,
                        shift,
                        full ? 127 : static_cast<int>(random.In(7, 248)),
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

// The form without a division: sums up to what pre_shift brings to the edge of s32, products at the edge of s64.
TEST_P(AttentionTest, OutputWithoutSums) {
  Random random(39);
  for (int d : {1, 2, 3, 4, 5, 7, 8, 9, 16, 20, 67}) {
    for (int repeat = 0; repeat < 300; ++repeat) {
      const size_t rows = static_cast<size_t>(random.In(1, 3)), width = static_cast<size_t>(d);
      const int pre_shift = static_cast<int>(random.In(0, 15)), shift = static_cast<int>(random.In(1, 62));
      const int32_t mult = static_cast<int32_t>(random.Chance(3)   ? 1 << 30
                                                : random.Chance(2) ? INT32_MAX
                                                                   : random.In(1 << 30, INT32_MAX));
      const int64_t most = (int64_t{INT32_MAX} << pre_shift) + (pre_shift == 0 ? 0 : (1 << (pre_shift - 1)) - 1);
      // Half of the sums give results around the codes.
      const int64_t code = std::clamp<int64_t>(shift - 30 < 0 ? 1 : int64_t{1} << (shift - 30), 1, INT32_MAX);
      std::vector<int64_t> n;
      for (size_t i = 0; i < rows * width; ++i) {
        const int64_t near = (random.In(-200, 200) * code + random.In(-1, 1)) * (int64_t{1} << pre_shift);
        n.push_back(random.Chance(2) ? random.Wide(most) : std::clamp(near, -most, most));
      }
      const bool full = !random.Chance(4);
      const size_t stride = width + static_cast<size_t>(random.In(0, 9));
      Guarded<int64_t> in(n);
      Guarded<uint8_t> out((rows - 1) * stride + width);
      AttentionOutput a{in.data(),
                        nullptr,
                        pre_shift,
                        mult,
                        shift,
                        full ? 127 : static_cast<int>(random.In(7, 248)),
                        full ? -127 : -7,
                        full ? 127 : 7,
                        0x80,
                        out.data(),
                        stride,
                        static_cast<int>(rows),
                        d};
      GetParam()->attention_output(a);
      std::vector<uint8_t> expected;
      for (const int64_t sum : n) {
        const int value = ScaledOutputValue(sum, pre_shift, mult, shift, a.lo, a.hi);
        expected.push_back(static_cast<uint8_t>((value + a.zero) ^ 0x80));
      }
      ASSERT_EQ(out.Rows(rows, width, stride), expected) << "d " << d << " shift " << shift << " pre " << pre_shift;
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
        const int step = static_cast<int>(random.In(-2, 1));
        const int first = static_cast<int>(random.In(0, 5)) + std::max(0, -step * (static_cast<int>(rows) - 1));
        const int positions = first + std::max(0, step * (static_cast<int>(rows) - 1)) + count;
        const int limit = random.Chance(2) ? 127 : d > 255 ? 16000 : 32767;
        auto q = random.Values<int8_t>(rows * width, -128, 127);
        auto table = random.Values<int16_t>(static_cast<size_t>(positions) * width, -limit, limit);
        if (style % 2 == 1) std::fill(q.begin(), q.end(), static_cast<int8_t>(style == 1 ? 127 : -128));
        if (style >= 1) std::fill(table.begin(), table.end(), static_cast<int16_t>(style == 2 ? -limit : limit));
        const int32_t mult = static_cast<int32_t>(random.In(1 << 30, INT32_MAX));
        int shift = static_cast<int>(random.In(1, 62));
        // The loader proves that both fit s32, with room for the half that the requantization adds.
        const int64_t most = INT32_MAX - (1 << 23), products = int64_t{d} * 128 * limit;
        const int64_t most_bias = style == 0 ? products : most - products;
        auto bias = random.Values<int32_t>(static_cast<size_t>(positions), -most_bias, most_bias);
        if (style >= 2) std::fill(bias.begin(), bias.end(), static_cast<int32_t>(style == 2 ? most_bias : -most_bias));
        while (test::Rq32Limit(mult, shift) < products + most_bias) ++shift;
        const size_t q_stride = width + static_cast<size_t>(random.In(0, 9));
        const size_t stride = static_cast<size_t>(count) + static_cast<size_t>(random.In(0, 9));
        Guarded<int8_t> gq(q, width, q_stride);
        Guarded<int16_t> gt(table);
        Guarded<int32_t> gb(bias);
        Guarded<int32_t> expected(rows * static_cast<size_t>(count)),
            out((rows - 1) * stride + static_cast<size_t>(count));
        RelativePosition p{gq.data(),
                           q_stride,
                           gt.data(),
                           gb.data(),
                           positions,
                           first,
                           step,
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
            << "d " << d << " count " << count << " step " << step << " style " << style;
      }
    }
  }
}

}  // namespace
}  // namespace intsam::internal
