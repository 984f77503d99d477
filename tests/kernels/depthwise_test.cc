// Depthwise convolutions of every tier against plain sums in s64 over codes, zero points and weights: both strides,
// strips of every short length, widths that fill vectors and that do not, operands at their limits.
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

using test::Guarded;
using test::Random;

class DepthwiseTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(DepthwiseTest);

constexpr int kChannels[] = {16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 256, 320};

template <class Value, class Weight>
struct Strip {
  int stride, count, channels, zero;
  std::vector<Value> rows[3];  // pixels before the flip
  std::vector<Weight> weight;
  std::vector<int32_t> bias;

  int pixels() const { return (count - 1) * stride + 3; }
};

// style 0 is random; 1..4 have every operand at a limit, with signs that do not cancel.
template <class Value, class Weight>
Strip<Value, Weight> MakeStrip(Random& random, int stride, int count, int channels, int style, int64_t least,
                               int64_t most, int64_t w_max) {
  Strip<Value, Weight> s{stride, count, channels, 0, {}, {}, {}};
  const size_t width = static_cast<size_t>(channels);
  for (auto& row : s.rows) {
    row = random.Values<Value>(static_cast<size_t>(s.pixels()) * width, least, most);
    if (style != 0) std::fill(row.begin(), row.end(), static_cast<Value>(style % 2 == 1 ? most : least));
  }
  s.weight = random.Values<Weight>(9 * width, -w_max, w_max);
  if (style != 0) std::fill(s.weight.begin(), s.weight.end(), static_cast<Weight>(style <= 2 ? w_max : -w_max));
  // As far as the loader's proof goes: no sum leaves s32.
  const int64_t limit = 2147483647 - 2 * 9 * w_max * std::max(most, -least);
  for (int c = 0; c < channels; ++c) s.bias.push_back(static_cast<int32_t>(random.Wide(limit)));
  return s;
}

template <class Value, class Weight>
std::vector<int32_t> Expected(const Strip<Value, Weight>& s) {
  std::vector<int32_t> acc;
  for (int x = 0; x < s.count; ++x) {
    for (int c = 0; c < s.channels; ++c) {
      int64_t sum = s.bias[static_cast<size_t>(c)];
      for (int tap = 0; tap < 9; ++tap) {
        const size_t at = static_cast<size_t>((x * s.stride + tap % 3) * s.channels + c);
        sum += (int64_t{s.rows[tap / 3][at]} - s.zero) * s.weight[static_cast<size_t>(tap * s.channels + c)];
      }
      acc.push_back(static_cast<int32_t>(sum));
    }
  }
  return acc;
}

// The accumulators lie with a stride wider than the pixels; the three rows are buffers of their own.
template <class Arguments, class Value, class Weight>
std::vector<int32_t> RunStrip(void (*kernel)(const Arguments&), const Strip<Value, Weight>& s, int extra) {
  const size_t width = static_cast<size_t>(s.channels), count = static_cast<size_t>(s.count);
  const size_t acc_stride = width + static_cast<size_t>(extra);
  Guarded<Value> row0(s.rows[0]), row1(s.rows[1]), row2(s.rows[2]);
  Guarded<Weight> weight(s.weight);
  Guarded<int32_t> bias(s.bias), acc((count - 1) * acc_stride + width);
  kernel({.rows = {row0.data(), row1.data(), row2.data()},
          .stride = s.stride,
          .weight = weight.data(),
          .bias = bias.data(),
          .acc = acc.data(),
          .acc_stride = acc_stride,
          .count = s.count,
          .channels = s.channels});
  return acc.Rows(count, width, acc_stride);
}

template <class Check>
void ForEveryShape(Random& random, Check check) {
  for (int channels : kChannels) {
    for (int stride : {1, 2}) {
      for (int count : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 32}) {
        check(stride, count, channels, count > 4 ? 0 : static_cast<int>(random.In(0, 4)));
      }
      for (int style = 1; style <= 4; ++style) check(stride, 3, channels, style);
    }
  }
}

TEST_P(DepthwiseTest, Codes) {
  Random random(71);
  ForEveryShape(random, [&](int stride, int count, int channels, int style) {
    auto s = MakeStrip<uint8_t, int8_t>(random, stride, count, channels, style, 0, 255, 127);
    s.zero = random.Chance(3) ? 0 : random.Chance(2) ? 255 : static_cast<int>(random.In(0, 255));
    const std::vector<int32_t> expected = Expected(s);
    for (auto& row : s.rows) {
      for (uint8_t& code : row) code ^= GetParam()->flip;
    }
    for (size_t c = 0; c < s.bias.size(); ++c) {
      int32_t sum = 0;
      for (size_t tap = 0; tap < 9; ++tap) sum += s.weight[tap * s.bias.size() + c];
      s.bias[c] = FoldBias(s.bias[c], sum, s.zero, GetParam()->flip);
    }
    ASSERT_EQ(RunStrip(GetParam()->depthwise_codes, s, static_cast<int>(random.In(0, 9))), expected)
        << "stride " << stride << " count " << count << " channels " << channels << " style " << style;
  });
}

TEST_P(DepthwiseTest, S16) {
  Random random(72);
  ForEveryShape(random, [&](int stride, int count, int channels, int style) {
    const auto s = MakeStrip<int16_t, int16_t>(random, stride, count, channels, style, -32767, 32767, 2047);
    ASSERT_EQ(RunStrip(GetParam()->depthwise_s16, s, static_cast<int>(random.In(0, 9))), Expected(s))
        << "stride " << stride << " count " << count << " channels " << channels << " style " << style;
  });
}

}  // namespace
}  // namespace intsam::internal
