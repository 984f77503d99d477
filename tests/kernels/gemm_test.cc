// Both matrix products of every tier against a plain triple loop in s64 over codes, zero points and unpacked weights:
// weights of every width, all small shapes, and the operands that saturate or wrap anything narrower than s32.
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

using test::Guarded;
using test::Random;

class GemmTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(GemmTest);

template <class T>
struct Problem {
  int m, n, k, zero;
  std::vector<T> a;       // [m][k], codes before the flip
  std::vector<int8_t> w;  // [n][k]
  std::vector<int32_t> bias;
  int bits = 8;                  // of the weights
  std::vector<uint8_t> zeros;    // [n] of packed weights: w + zeros[j] is a code below 2^bits
  int a_max = 255, w_max = 127;  // as the kernel is told
};

// The weights in the form that the kernel reads.
template <class T>
class Weights {
 public:
  explicit Weights(const Problem<T>& p)
      : bits_(p.bits),
        max_abs_(p.w_max),
        groups_(Groups(p)),
        zeros_(static_cast<size_t>(p.bits == 8 ? 0 : RoundUp(p.n, kPanel))) {
    std::copy(p.zeros.begin(), p.zeros.end(), zeros_.data());
  }
  WeightPanels panels() { return {groups_.data(), bits_ == 8 ? nullptr : zeros_.data(), bits_, max_abs_}; }

 private:
  static std::vector<uint8_t> Groups(const Problem<T>& p) {
    if (p.bits == 8) {
      const std::vector<int8_t> panels = test::PackPanels(p.w, p.n, p.k);
      return {panels.begin(), panels.end()};
    }
    std::vector<int8_t> codes = p.w;
    for (size_t i = 0; i < codes.size(); ++i) {
      codes[i] = static_cast<int8_t>(codes[i] + p.zeros[i / static_cast<size_t>(p.k)]);
    }
    return test::PackGroups(codes, p.n, p.k, p.bits);
  }

  int bits_, max_abs_;
  Guarded<uint8_t> groups_, zeros_;
};

template <class T>
std::vector<int32_t> Expected(const Problem<T>& p) {
  std::vector<int32_t> acc;
  for (int i = 0; i < p.m; ++i) {
    for (int j = 0; j < p.n; ++j) {
      const T* a = p.a.data() + static_cast<size_t>(i) * static_cast<size_t>(p.k);
      const int8_t* w = p.w.data() + static_cast<size_t>(j) * static_cast<size_t>(p.k);
      int64_t sum = p.bias[static_cast<size_t>(j)];
      for (int c = 0; c < p.k; ++c) sum += (int64_t{a[c]} - p.zero) * w[c];
      acc.push_back(static_cast<int32_t>(sum));
    }
  }
  return acc;
}

// Operands and outputs are laid out with strides wider than the rows.
template <class Arguments, class T>
std::vector<int32_t> Run(void (*kernel)(const Arguments&), const Problem<T>& p, const std::vector<T>& operand,
                         std::vector<int32_t> kernel_bias, int extra) {
  const size_t padded = static_cast<size_t>(RoundUp(p.n, kPanel));
  const size_t k = static_cast<size_t>(p.k), m = static_cast<size_t>(p.m);
  const size_t a_stride = k + static_cast<size_t>(extra), acc_stride = padded + static_cast<size_t>(extra);
  kernel_bias.resize(padded);
  Guarded<T> a(operand, k, a_stride);
  Weights<T> weights(p);
  Guarded<int32_t> bias(kernel_bias);
  Guarded<int32_t> acc((m - 1) * acc_stride + padded);
  Arguments arguments{a.data(), a_stride, weights.panels(), bias.data(), acc.data(), acc_stride, p.m, p.n, p.k};
  if constexpr (std::is_same_v<Arguments, GemmA8W8>) arguments.a_max = p.a_max;
  kernel(arguments);
  std::vector<int32_t> values;  // the padding channels are written too, but their content means nothing
  const std::vector<int32_t> rows = acc.Rows(m, padded, acc_stride);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % padded < static_cast<size_t>(p.n)) values.push_back(rows[i]);
  }
  return values;
}

void Check8(const Kernels& kernels, const Problem<uint8_t>& p, int extra) {
  std::vector<uint8_t> operand = p.a;
  for (uint8_t& a : operand) a ^= kernels.flip;
  std::vector<int32_t> bias = p.bias;
  for (size_t j = 0; j < bias.size(); ++j) {
    int32_t column_sum = 0;
    for (size_t c = 0; c < static_cast<size_t>(p.k); ++c) column_sum += p.w[j * static_cast<size_t>(p.k) + c];
    bias[j] = FoldBias(bias[j], column_sum, p.zero, kernels.flip);
  }
  ASSERT_EQ(Run(kernels.gemm_a8w8, p, operand, bias, extra), Expected(p))
      << "m " << p.m << " n " << p.n << " k " << p.k << " zero " << p.zero << " bits " << p.bits << " a_max " << p.a_max
      << " w_max " << p.w_max;
}

void Check16(const Kernels& kernels, const Problem<int16_t>& p, int extra) {
  ASSERT_EQ(Run(kernels.gemm_a16w8, p, p.a, p.bias, extra), Expected(p))
      << "m " << p.m << " n " << p.n << " k " << p.k << " bits " << p.bits;
}

constexpr int kDepths[] = {4, 8, 12, 60, 64, 68, 192};
constexpr int kWidths[] = {4, 5, 6, 7, 8};

template <class T>
Problem<T> RandomProblem(Random& random, int m, int n, int k, int lo, int hi, int bits) {
  const size_t rows = static_cast<size_t>(m), channels = static_cast<size_t>(n), depth = static_cast<size_t>(k);
  Problem<T> p{m, n, k, 0, random.Values<T>(rows * depth, lo, hi), {}, {}, bits};
  p.bias = random.Values<int32_t>(channels, -1000000, 1000000);
  if (bits == 8) {
    p.w = random.Values<int8_t>(channels * depth, -127, 127);
    return p;
  }
  p.w = random.Values<int8_t>(channels * depth, 0, (1 << bits) - 1);
  p.zeros = random.Values<uint8_t>(channels, 0, (1 << bits) - 1);
  for (size_t i = 0; i < p.w.size(); ++i) p.w[i] = static_cast<int8_t>(p.w[i] - p.zeros[i / depth]);
  return p;
}

// Every m up to 11 (tiles of at most 8 rows, plus 3) and n around the first three panel edges.
TEST_P(GemmTest, EveryEdgeShape) {
  Random random(1);
  for (int m = 1; m <= 11; ++m) {
    for (int n : {1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 19, 31, 32, 33, 35, 47, 48, 49}) {
      for (int k : kDepths) {
        for (int bits : kWidths) {
          auto p8 = RandomProblem<uint8_t>(random, m, n, k, 0, 255, bits);
          p8.zero = static_cast<int>(random.In(0, 255));
          Check8(*GetParam(), p8, 4 * static_cast<int>(random.In(0, 3)));
          const auto p16 = RandomProblem<int16_t>(random, m, n, k, -32767, 32767, bits);
          Check16(*GetParam(), p16, static_cast<int>(random.In(0, 9)));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(GemmTest, ManyRowsAndChannels) {
  Random random(2);
  for (int m : {63, 64, 65, 130, 179, 191}) {
    for (int bits : kWidths) {
      Check8(*GetParam(), RandomProblem<uint8_t>(random, m, 133, 36, 0, 255, bits), 0);
      Check16(*GetParam(), RandomProblem<int16_t>(random, m, 133, 36, -32767, 32767, bits), 0);
    }
  }
}

// More input channels than a tier is likely to take at once.
TEST_P(GemmTest, DeepPanels) {
  Random random(3);
  for (int k : {380, 384, 388, 500, 772, 1156, 3072}) {
    for (int bits : kWidths) {
      Check8(*GetParam(), RandomProblem<uint8_t>(random, 25, 35, k, 0, 255, bits), 0);
      if (k <= 512) Check16(*GetParam(), RandomProblem<int16_t>(random, 25, 35, k, -32767, 32767, bits), 0);
    }
  }
}

// Whole blocks of rows and what is left of them, over several blocks of depth and what is left of those.
TEST_P(GemmTest, BlocksOfRowsAndDepth) {
  Random random(4);
  for (int m : {16, 17, 32, 47, 48, 64, 81}) {
    for (int n : {16, 33, 64, 80}) {
      for (int k : {64, 80, 128, 1088, 1100}) {
        if (m > 32 && n == 64) continue;
        const int bits = random.Chance(2) ? 8 : static_cast<int>(random.In(4, 7));
        Check8(*GetParam(), RandomProblem<uint8_t>(random, m, n, k, 0, 255, bits), 4);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// One activation of 1 a row picks one weight: every code of every width at every place of a group, next to neighbours
// of all zeros and all ones.
TEST_P(GemmTest, EveryPackedCodeInItsPlace) {
  constexpr int kDepth = 4, kChannels = 16;
  for (int bits = 4; bits <= 7; ++bits) {
    const int levels = 1 << bits;
    for (int code = 0; code < levels; ++code) {
      for (int place = 0; place < kDepth * kChannels; ++place) {
        Problem<int16_t> p{kDepth, kChannels, kDepth, 0, {}, {}, {}, bits};
        p.a.resize(kDepth * kDepth), p.bias.resize(kChannels);
        for (size_t k = 0; k < kDepth; ++k) p.a[k * kDepth + k] = 1;
        for (int j = 0; j < kChannels; ++j) p.zeros.push_back(static_cast<uint8_t>((code + 11 * j) % levels));
        for (int i = 0; i < kChannels * kDepth; ++i) {
          const int u = i == place ? code : place % 2 == 0 ? 0 : levels - 1;
          p.w.push_back(static_cast<int8_t>(u - p.zeros[static_cast<size_t>(i / kDepth)]));
        }
        Check16(*GetParam(), p, 0);
        if (HasFatalFailure()) return;
      }
    }
  }
}

int8_t ExtremeWeight(int style, int j, int c) {
  const int8_t alternating[] = {127, -127};
  return style == 0 ? int8_t{127} : style == 1 ? int8_t{-127} : alternating[style == 2 ? c % 2 : (j + c / 2) % 2];
}

TEST_P(GemmTest, ExtremeCodes) {
  for (int k : {4, 12, 60, 64, 68, 192, 5120}) {
    for (int style = 0; style < 20; ++style) {
      for (int zero : {0, 128, 255}) {
        Problem<uint8_t> p{k == 5120 ? 2 : 5, k == 5120 ? 17 : 33, k, zero, {}, {}, {}};
        for (int i = 0; i < p.m * k; ++i) {
          const int alternating[] = {255, 0};
          const int codes[] = {0, 255, 128, alternating[i % 2], alternating[(i / k + i) / 2 % 2]};
          p.a.push_back(static_cast<uint8_t>(codes[style / 4]));
        }
        for (int i = 0; i < p.n * k; ++i) p.w.push_back(ExtremeWeight(style % 4, i / k, i % k));
        for (int j = 0; j < p.n; ++j) p.bias.push_back((j % 2 ? 1 : -1) * (1 << 30));
        Check8(*GetParam(), p, 0);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Codes and zero points at their ends, so that w reaches +-(2^bits - 1), under activations at theirs.
TEST_P(GemmTest, ExtremePackedWeights) {
  for (int bits = 4; bits <= 7; ++bits) {
    const int top = (1 << bits) - 1;
    for (int k : {4, 68, 392}) {
      for (int style = 0; style < 12; ++style) {
        Problem<uint8_t> p8{5, 33, k, 255 * (style % 2), {}, {}, {}, bits};
        Problem<int16_t> p16{5, 33, k, 0, {}, {}, {}, bits};
        for (int i = 0; i < p8.m * k; ++i) {
          const bool high = style < 4 || (style < 8 && i % 2 == 0);
          p8.a.push_back(high ? 255 : 0), p16.a.push_back(high ? 32767 : -32767);
        }
        for (int j = 0; j < p8.n; ++j) {
          p8.zeros.push_back(static_cast<uint8_t>(j % 3 == 0 ? 0 : j % 3 == 1 ? top : top / 2 + 1));
          p8.bias.push_back(j % 2 ? 1 << 30 : -(1 << 30)), p16.bias.push_back(0);
          for (int c = 0; c < k; ++c) {
            const int codes[] = {top, 0, c % 2 * top, (j + c / 2) % 2 * top};
            p8.w.push_back(static_cast<int8_t>(codes[style % 4] - p8.zeros.back()));
          }
        }
        p16.w = p8.w, p16.zeros = p8.zeros;
        Check8(*GetParam(), p8, 0);
        Check16(*GetParam(), p16, 1);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Codes and weights that keep within the ranges the kernel is told, whatever it makes of them: random ones, and those
// that bring every sum to its end.
TEST_P(GemmTest, NarrowOperands) {
  Random random(7);
  for (int a_max : {0, 1, 3, 15, 31, 63, 64, 127, 128, 159, 200, 254, 255}) {
    for (int bits : {4, 5, 6, 7, 8}) {
      for (int w_max : {1, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128}) {
        if (bits < 8 && w_max != 127) continue;
        for (int style = 0; style < 6; ++style) {
          const int k = 4 * static_cast<int>(random.Chance(8) ? random.In(250, 300) : random.In(1, 40));
          auto p = RandomProblem<uint8_t>(random, static_cast<int>(random.In(1, 20)),
                                          static_cast<int>(random.In(1, 40)), k, 0, a_max, bits);
          p.zero = static_cast<int>(random.In(0, a_max));
          p.a_max = a_max, p.w_max = w_max;
          for (size_t i = 0; style > 0 && i < p.a.size(); ++i) {
            p.a[i] = static_cast<uint8_t>(style < 4 || i % 2 == 0 ? a_max : 0);
          }
          for (size_t i = 0; i < p.w.size(); ++i) {
            const int zero = bits == 8 ? 0 : p.zeros[i / static_cast<size_t>(k)];
            const int lo = bits == 8 ? -w_max : -zero, hi = bits == 8 ? std::min(w_max, 127) : (1 << bits) - 1 - zero;
            const int ends[] = {static_cast<int>(random.In(lo, hi)), lo, hi, i % 4 < 2 ? lo : hi, lo, hi};
            p.w[i] = static_cast<int8_t>(ends[style]);
          }
          Check8(*GetParam(), p, 4 * static_cast<int>(random.In(0, 3)));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(GemmTest, ExtremeWideActivations) {
  for (int k : {4, 12, 68, 256, 512}) {
    for (int style = 0; style < 16; ++style) {
      Problem<int16_t> p{5, 33, k, 0, {}, {}, {}};
      for (int i = 0; i < p.m * k; ++i) {
        const int alternating[] = {32767, -32767};
        const int values[] = {32767, -32767, alternating[i % 2], alternating[(i / k + i) / 2 % 2]};
        p.a.push_back(static_cast<int16_t>(values[style / 4]));
      }
      for (int i = 0; i < p.n * k; ++i) p.w.push_back(ExtremeWeight(style % 4, i / k, i % k));
      const int32_t room = static_cast<int32_t>(2147483647 - int64_t{32767} * 127 * k);  // all that the proof leaves
      for (int j = 0; j < p.n; ++j) p.bias.push_back(j % 2 ? room : -room);
      Check16(*GetParam(), p, 1);
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace intsam::internal
