// U8 and AGQ as the kernels compute them against their floating-point definitions: the codes of whole rows, random and
// adversarial, and the attention output that they give.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/numerics/softmax.h"
#include "tests/emulated.h"
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

// mult * 2^-(27 + p) octaves per logit.
constexpr int kShift = 0;
constexpr uint16_t kMult = 50000;
const double kOctave = std::exp2(27) / kMult;  // logits

// Logits of one row.
struct Row {
  std::string name;
  bool random;  // others may lie on a threshold as a whole
  std::vector<int32_t> logits;
};

std::vector<Row> Rows(size_t count, std::mt19937_64& engine) {
  std::vector<Row> rows;
  std::normal_distribution<double> normal;
  for (const double octaves : {0.0, 0.01, 0.5, 2.0, 5.0, 40.0}) {
    std::vector<int32_t> logits(count);
    for (int32_t& v : logits) v = static_cast<int32_t>(std::lround(normal(engine) * octaves * kOctave));
    rows.push_back({"deviation " + std::to_string(octaves), octaves > 0, logits});
  }
  std::vector<int32_t> one_hot(count, -1000000), ties(count), ramp(count), far(count);
  one_hot[count / 2] = 0;
  for (size_t j = 0; j < count; ++j) {
    ties[j] = j % 3 == 0 ? 0 : -static_cast<int32_t>(kOctave / 2);
    ramp[j] = -static_cast<int32_t>(j % 97) * 331;
    far[j] = j == 0 ? 1 << 30 : -(1 << 30);
  }
  rows.insert(rows.end(),
              {{"one hot", false, one_hot}, {"ties", false, ties}, {"ramp", false, ramp}, {"far", false, far}});
  return rows;
}

// What the integer kernels make of a row, and the real probabilities.
struct Probabilities {
  explicit Probabilities(const std::vector<int32_t>& logits) {
    const int32_t maximum = *std::max_element(logits.begin(), logits.end());
    double real_sum = 0;
    for (const int32_t logit : logits) {
      const uint32_t u = static_cast<uint32_t>(maximum) - static_cast<uint32_t>(logit);
      t.push_back(LogDistance(u, kShift, kMult));
      e.push_back(Exp2Negative(t.back()));
      sum += e.back();
      p.push_back(std::exp2(-(u / kOctave)));
      real_sum += p.back();
    }
    for (double& v : p) v /= real_sum;
  }
  std::vector<uint16_t> t, e;
  uint32_t sum = 0;
  std::vector<double> p;
};

// Relative root mean square of the difference of two outputs sum_j P_j v_j over eight random channels.
class OutputError {
 public:
  void Add(const std::vector<double>& got, const std::vector<double>& expected, std::mt19937_64& engine) {
    std::uniform_int_distribution<int> value(-127, 127);
    for (int c = 0; c < 8; ++c) {
      double a = 0, b = 0;
      for (size_t j = 0; j < got.size(); ++j) {
        const int v = value(engine);
        a += got[j] * v, b += expected[j] * v;
      }
      error_ += (a - b) * (a - b), reference_ += b * b;
    }
  }
  double relative() const { return std::sqrt(error_ / reference_); }

 private:
  double error_ = 0, reference_ = 0;
};

constexpr size_t kCounts[] = {1, 7, 196, 4096};

// Counts codes that differ, of those that are compared.
struct Differing {
  size_t compared = 0, differing = 0;
  double percent() const { return 100 * static_cast<double>(differing) / static_cast<double>(compared); }
};

// Bounds on codes: those that a prototype of PTQ4SAM's formula in integers kept for tau <= 4.
TEST(SoftmaxCoding, AgqFollowsItsFloatDefinition) {
  std::mt19937_64 engine(11);
  test::Sweep sweep;
  for (int bits = 2; bits <= 8; ++bits) {
    for (int kt = 0; kt <= 4; ++kt) {
      if (!sweep.Next()) continue;
      const int tau = 1 << kt, levels = 1 << bits;
      Differing codes;
      OutputError output;
      for (const size_t count : kCounts) {
        for (const double scale : {0.005, 0.05, 0.3, 1.0, 1.3}) {
          const int32_t log2_scale = static_cast<int32_t>(std::lround(2048 * std::log2(scale)));
          for (const Row& row : Rows(count, engine)) {
            const Probabilities r(row.logits);
            const int32_t term = AgqRowTerm(r.sum, log2_scale);
            std::vector<double> got, expected;
            for (size_t j = 0; j < count; ++j) {
              const int code = AgqCode(r.t[j], term, kt, bits);
              const double exact = std::rint(-tau * std::log2(std::max(r.p[j], 1e-20) / scale));
              const int reference = static_cast<int>(std::clamp(exact, 0.0, static_cast<double>(levels)));
              got.push_back(AgqDecode(code, kt, bits) / 32767.0 * scale);
              expected.push_back(reference == levels ? 0 : scale * std::exp2(-static_cast<double>(reference) / tau));
              // Sixteen octaves below the maximum the exponential ends and with it what AGQ promises; sixteen octaves
              // below the scale every level is zero.
              if (r.e[j] == 0 || (code >= 16 * tau && reference >= 16 * tau)) continue;
              ASSERT_LE(std::abs(code - reference), 1) << row.name << " count " << count << " scale " << scale;
              if (row.random) ++codes.compared, codes.differing += code != reference;
            }
            if (row.random && count > 1) output.Add(got, expected, engine);
          }
        }
      }
      EXPECT_LE(codes.percent(), bits <= 6 ? 0.5 : 1.4) << "bits " << bits << " tau " << tau;
      EXPECT_LE(output.relative(), 0.006) << "bits " << bits << " tau " << tau;
      EXPECT_GT(codes.compared, 40000u);
    }
  }
}

// Steps that spread the row's probabilities over the codes, four times too fine and four times too coarse.
TEST(SoftmaxCoding, UniformFollowsItsFloatDefinition) {
  std::mt19937_64 engine(12);
  for (int bits = 2; bits <= 8; ++bits) {
    const int top = (1 << bits) - 1;
    Differing codes;
    OutputError output;
    for (const size_t count : kCounts) {
      for (const double fraction : {0.25, 1.0, 4.0}) {
        for (const Row& row : Rows(count, engine)) {
          const Probabilities r(row.logits);
          const double step = *std::max_element(r.p.begin(), r.p.end()) * fraction / top;
          int exponent = 0;
          const double mantissa = std::frexp(1 / step, &exponent);
          const auto mult = static_cast<uint16_t>(std::min(65535L, std::lround(mantissa * 65536)));
          const UniformRow uniform = UniformRowOf(r.sum, mult, 16 - exponent);
          std::vector<double> got, expected;
          for (size_t j = 0; j < count; ++j) {
            const int code = UniformCode(r.e[j], uniform, bits);
            const int reference = static_cast<int>(std::clamp(std::rint(r.p[j] / step), 0.0, static_cast<double>(top)));
            got.push_back(code * step);
            expected.push_back(reference * step);
            ASSERT_LE(std::abs(code - reference), 1) << row.name << " count " << count << " step " << step;
            if (row.random) ++codes.compared, codes.differing += code != reference;
          }
          if (row.random && count > 1) output.Add(got, expected, engine);
        }
      }
    }
    EXPECT_LE(codes.percent(), 0.7) << "bits " << bits;
    EXPECT_LE(output.relative(), 0.004) << "bits " << bits;
    EXPECT_GT(codes.compared, 40000u);
  }
}

}  // namespace
}  // namespace intsam::internal
