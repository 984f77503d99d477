// Both matrix products of every tier against a plain triple loop in s64 over codes, zero points and unpacked weights:
// all small shapes, and the operands that saturate or wrap anything narrower than s32.
#include "tests/kernels/harness.h"

namespace intsam {
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
  Guarded<int8_t> panels(test::PackPanels(p.w, p.n, p.k));
  Guarded<int32_t> bias(kernel_bias);
  Guarded<int32_t> acc((m - 1) * acc_stride + padded);
  kernel({a.data(), a_stride, panels.data(), bias.data(), acc.data(), acc_stride, p.m, p.n, p.k});
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
      << "m " << p.m << " n " << p.n << " k " << p.k << " zero " << p.zero;
}

void Check16(const Kernels& kernels, const Problem<int16_t>& p, int extra) {
  ASSERT_EQ(Run(kernels.gemm_a16w8, p, p.a, p.bias, extra), Expected(p)) << "m " << p.m << " n " << p.n << " k " << p.k;
}

constexpr int kDepths[] = {4, 8, 12, 60, 64, 68, 192};

template <class T>
Problem<T> RandomProblem(Random& random, int m, int n, int k, int lo, int hi) {
  const size_t mk = static_cast<size_t>(m) * static_cast<size_t>(k),
               nk = static_cast<size_t>(n) * static_cast<size_t>(k);
  return {m,
          n,
          k,
          0,
          random.Values<T>(mk, lo, hi),
          random.Values<int8_t>(nk, -127, 127),
          random.Values<int32_t>(static_cast<size_t>(n), -1000000, 1000000)};
}

// Every m up to 11 (tiles of at most 8 rows, plus 3) and n around the first three panel edges.
TEST_P(GemmTest, EveryEdgeShape) {
  Random random(1);
  for (int m = 1; m <= 11; ++m) {
    for (int n : {1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 19, 31, 32, 33, 35, 47, 48, 49}) {
      for (int k : kDepths) {
        auto p8 = RandomProblem<uint8_t>(random, m, n, k, 0, 255);
        p8.zero = static_cast<int>(random.In(0, 255));
        Check8(*GetParam(), p8, 4 * static_cast<int>(random.In(0, 3)));
        Check16(*GetParam(), RandomProblem<int16_t>(random, m, n, k, -32767, 32767), static_cast<int>(random.In(0, 9)));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(GemmTest, ManyRowsAndChannels) {
  Random random(2);
  for (int m : {63, 64, 65, 130}) {
    Check8(*GetParam(), RandomProblem<uint8_t>(random, m, 133, 36, 0, 255), 0);
    Check16(*GetParam(), RandomProblem<int16_t>(random, m, 133, 36, -32767, 32767), 0);
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
}  // namespace intsam
