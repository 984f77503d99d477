// Both LayerNorms of every tier against the scalar kernels: every small channel count and the real ones, rows that are
// random, constant, tiny, full scale or dominated by one outlier, and parameters at the ends of what the loader admits.
#include <cmath>

#include "kernels/numerics/fixed_point.h"
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

using test::Guarded;
using test::Random;

class LayerNormTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(LayerNormTest);

constexpr int kStyles = 8;

std::vector<int32_t> Row(Random& random, int channels, int style) {
  std::vector<int32_t> x(static_cast<size_t>(channels));
  const int64_t outlier = random.In(0, channels - 1);
  const int64_t level = random.In(-kR24Max, kR24Max);
  for (int c = 0; c < channels; ++c) {
    const int64_t values[kStyles] = {
        random.In(-kR24Max, kR24Max),               // noise at full scale
        random.In(-3, 3),                           // tiny sigma: the left-shift branch of LN-N
        level,                                      // constant: W is epsilon alone
        c % 2 ? kR24Max : -kR24Max,                 // the largest sigma
        c == outlier ? kR24Max : random.In(-9, 9),  // one channel at sqrt(C) sigma
        c == outlier ? 1 : 0,                       // the smallest non-zero sigma
        random.Wide(kR24Max),                       // every magnitude in one row
        -kR24Max,                                   // the most negative sum
    };
    x[static_cast<size_t>(c)] = static_cast<int32_t>(values[style]);
  }
  return x;
}

std::vector<int32_t> Rows(Random& random, int rows, int channels, int first_style) {
  std::vector<int32_t> x;
  for (int i = 0; i < rows; ++i) {
    const auto row = Row(random, channels, (first_style + i) % kStyles);
    x.insert(x.end(), row.begin(), row.end());
  }
  return x;
}

int32_t SqrtQ16(int channels) { return static_cast<int32_t>(std::lround(std::sqrt(channels) * 65536)); }

int64_t RandomEpsilon(Random& random) { return random.Chance(3) ? 1 : int64_t{1} << random.In(0, 60); }

std::vector<int> ChannelCounts() {
  std::vector<int> counts = {48, 64, 67, 192, 256, 320, 768, 1280, 2047, 2048};
  for (int c = 1; c <= 35; ++c) counts.push_back(c);
  return counts;
}

struct Narrow {
  std::vector<int32_t> x;
  std::vector<int16_t> gain;
  std::vector<int32_t> bias;
  int64_t epsilon;
  int rows, channels, k, lo, hi;
  uint8_t flip;
};

std::vector<uint8_t> RunNarrow(const Kernels& kernels, const Narrow& a, int extra) {
  const size_t channels = static_cast<size_t>(a.channels), stride = channels + static_cast<size_t>(extra);
  Guarded<int32_t> x(a.x, channels, stride + 1), bias(a.bias);
  Guarded<int16_t> gain(a.gain);
  Guarded<uint8_t> out((static_cast<size_t>(a.rows) - 1) * stride + channels);
  kernels.layer_norm_narrow({x.data(), stride + 1, a.epsilon, SqrtQ16(a.channels), gain.data(), bias.data(), a.k, a.lo,
                             a.hi, a.flip, out.data(), stride, a.rows, a.channels});
  return out.Rows(static_cast<size_t>(a.rows), channels, stride);
}

TEST_P(LayerNormTest, Narrow) {
  Random random(21);
  for (int channels : ChannelCounts()) {
    for (int style = 0; style < kStyles; ++style) {
      Narrow a{};
      a.rows = static_cast<int>(random.In(1, 3));
      a.channels = channels;
      a.x = Rows(random, a.rows, channels, style);
      a.epsilon = RandomEpsilon(random);
      const int ks[] = {0, 6, 14, 20};
      a.k = ks[random.In(0, 3)];
      a.lo = random.Chance(3) ? static_cast<int>(random.In(0, 100)) : 0;
      a.hi = random.Chance(3) ? static_cast<int>(random.In(100, 255)) : 255;
      a.flip = random.Chance(2) ? 0x80 : 0x00;
      for (int c = 0; c < channels; ++c) {
        // A code spread over 0..255 where k allows it, or the ends of the proof 32768*|G| + |B| < 2^31.
        const int64_t gain = random.Chance(2) ? random.Wide(32767)
                                              : random.In(-(int64_t{1} << a.k) / 8 - 1, (int64_t{1} << a.k) / 8 + 1);
        a.gain.push_back(static_cast<int16_t>(std::clamp<int64_t>(gain, -32767, 32767)));
        const int64_t room = 2147483647 - 32768 * std::abs(int64_t{a.gain.back()});
        const int64_t centre = std::min(room, (int64_t{128} << a.k) + (int64_t{1} << a.k) / 2);
        a.bias.push_back(static_cast<int32_t>(random.Chance(2) ? random.Wide(room) : centre));
      }
      ASSERT_EQ(RunNarrow(*GetParam(), a, static_cast<int>(random.In(0, 9))), RunNarrow(ScalarKernels(), a, 0))
          << "channels " << channels << " style " << style << " k " << a.k << " epsilon " << a.epsilon;
    }
  }
}

struct Wide {
  std::vector<int32_t> x, gain;
  std::vector<int64_t> bias;
  int64_t epsilon;
  int rows, channels, shift;
};

std::vector<int16_t> RunWide(const Kernels& kernels, const Wide& a, int extra) {
  const size_t channels = static_cast<size_t>(a.channels), stride = channels + static_cast<size_t>(extra);
  Guarded<int32_t> x(a.x, channels, stride + 1), gain(a.gain);
  Guarded<int64_t> bias(a.bias);
  Guarded<int16_t> out((static_cast<size_t>(a.rows) - 1) * stride + channels);
  kernels.layer_norm_wide({x.data(), stride + 1, a.epsilon, SqrtQ16(a.channels), gain.data(), bias.data(), a.shift,
                           out.data(), stride, a.rows, a.channels});
  return out.Rows(static_cast<size_t>(a.rows), channels, stride);
}

TEST_P(LayerNormTest, Wide) {
  Random random(22);
  for (int channels : ChannelCounts()) {
    for (int style = 0; style < kStyles; ++style) {
      Wide a{};
      a.rows = static_cast<int>(random.In(1, 3));
      a.channels = channels;
      a.x = Rows(random, a.rows, channels, style);
      a.epsilon = RandomEpsilon(random);
      a.shift = static_cast<int>(random.Chance(5) ? 1 : random.Chance(5) ? 46 : random.In(1, 46));
      for (int c = 0; c < channels; ++c) {
        // Gains that keep the value inside s16 for a few sigma, or as large as the format admits.
        const int64_t typical = std::min<int64_t>((1 << 23) - 1, (int64_t{1} << a.shift) / 16 + 1);
        a.gain.push_back(static_cast<int32_t>(random.Wide(random.Chance(2) ? typical : (1 << 23) - 1)));
        a.bias.push_back(random.Wide(int64_t{1} << (15 + a.shift)));
      }
      ASSERT_EQ(RunWide(*GetParam(), a, static_cast<int>(random.In(0, 9))), RunWide(ScalarKernels(), a, 0))
          << "channels " << channels << " style " << style << " shift " << a.shift << " epsilon " << a.epsilon;
    }
  }
}

}  // namespace
}  // namespace intsam::internal
