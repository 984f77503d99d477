// Every kernel of every tier against vectors.txt, whose expected outputs make_vectors.py computed in Python integers
// and checked against the numpy prototype of docs/numerics.md.
#include <fstream>
#include <map>
#include <sstream>

#include "kernels/numerics/sine.h"
#include "kernels/numerics/softmax.h"
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

using test::Guarded;

struct Case {
  std::string kernel;
  std::map<std::string, std::vector<int64_t>> fields;

  bool Has(const std::string& name) const { return fields.count(name) != 0 && !fields.at(name).empty(); }
  template <class T>
  std::vector<T> All(const std::string& name) const {
    std::vector<T> values;
    for (int64_t v : fields.at(name)) {
      values.push_back(static_cast<T>(v));
      EXPECT_EQ(static_cast<int64_t>(values.back()), v) << kernel << " " << name;
    }
    return values;
  }
  template <class T = int>
  T One(const std::string& name) const {
    EXPECT_EQ(fields.at(name).size(), 1u) << kernel << " " << name;
    return All<T>(name).at(0);
  }
};

std::vector<Case> ReadCases() {
  std::vector<Case> cases;
  std::ifstream file(INTSAM_SOURCE_DIR "/tests/numerics/vectors.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    if (!(words >> name)) continue;
    if (name == "case") {
      cases.emplace_back();
      words >> cases.back().kernel;
      continue;
    }
    auto& values = cases.back().fields[name];
    for (int64_t v; words >> v;) values.push_back(v);
  }
  return cases;
}

std::vector<uint8_t> Flipped(std::vector<uint8_t> codes, uint8_t flip) {
  for (uint8_t& code : codes) code ^= flip;
  return codes;
}

// Columns 0..n-1 of rows that are padded to whole panels.
std::vector<int32_t> WithoutPadding(const std::vector<int32_t>& acc, int n) {
  const size_t padded = static_cast<size_t>(RoundUp(n, kPanel));
  std::vector<int32_t> values;
  for (size_t i = 0; i < acc.size(); ++i) {
    if (i % padded < static_cast<size_t>(n)) values.push_back(acc[i]);
  }
  return values;
}

void CheckGemmA8W8(const Kernels& t, const Case& c) {
  const int m = c.One("m"), n = c.One("n"), k = c.One("k");
  const size_t padded = static_cast<size_t>(RoundUp(n, kPanel)), depth = static_cast<size_t>(k);
  const auto w = c.All<int8_t>("w");
  auto folded = c.All<int32_t>("bias");
  for (size_t j = 0; j < folded.size(); ++j) {
    int32_t column_sum = 0;
    for (size_t i = 0; i < depth; ++i) column_sum += w[j * depth + i];
    folded[j] = FoldBias(folded[j], column_sum, c.One("zero"), t.flip);
  }
  folded.resize(padded);
  Guarded<uint8_t> a(Flipped(c.All<uint8_t>("a"), t.flip));
  Guarded<int8_t> panels(test::PackPanels(w, n, k));
  Guarded<int32_t> bias(folded), acc(static_cast<size_t>(m) * padded);
  t.gemm_a8w8({a.data(), depth, S8Panels(panels.data()), bias.data(), acc.data(), padded, m, n, k});
  EXPECT_EQ(WithoutPadding(acc.Values(), n), c.All<int32_t>("acc"));
}

void CheckGemmA16W8(const Kernels& t, const Case& c) {
  const int m = c.One("m"), n = c.One("n"), k = c.One("k");
  const size_t padded = static_cast<size_t>(RoundUp(n, kPanel));
  auto padded_bias = c.All<int32_t>("bias");
  padded_bias.resize(padded);
  Guarded<int16_t> a(c.All<int16_t>("a"));
  Guarded<int8_t> panels(test::PackPanels(c.All<int8_t>("w"), n, k));
  Guarded<int32_t> bias(padded_bias), acc(static_cast<size_t>(m) * padded);
  t.gemm_a16w8({a.data(), static_cast<size_t>(k), S8Panels(panels.data()), bias.data(), acc.data(), padded, m, n, k});
  EXPECT_EQ(WithoutPadding(acc.Values(), n), c.All<int32_t>("acc"));
}

template <class Value, class Arguments, class Weight>
void CheckDepthwise(const Kernels& t, void (*kernel)(const Arguments&), const Case& c) {
  const size_t channels = c.One<size_t>("channels");
  const auto weights = c.All<Weight>("weight");
  auto rows = c.All<Value>("rows");
  auto folded = c.All<int32_t>("bias");
  if constexpr (sizeof(Value) == 1) {
    rows = Flipped(rows, t.flip);
    for (size_t j = 0; j < channels; ++j) {
      int32_t sum = 0;
      for (size_t tap = 0; tap < 9; ++tap) sum += weights[tap * channels + j];
      folded[j] = FoldBias(folded[j], sum, c.One("zero"), t.flip);
    }
  }
  Guarded<Value> pixels(rows);
  Guarded<Weight> weight(weights);
  Guarded<int32_t> bias(folded), acc(c.One<size_t>("count") * channels);
  const Value* row = pixels.data();
  const size_t size = rows.size() / 3;
  kernel({.rows = {row, row + size, row + 2 * size},
          .stride = c.One("stride"),
          .weight = weight.data(),
          .bias = bias.data(),
          .acc = acc.data(),
          .acc_stride = channels,
          .count = c.One("count"),
          .channels = c.One("channels")});
  EXPECT_EQ(acc.Values(), c.All<int32_t>("acc"));
}
void CheckDepthwiseCodes(const Kernels& t, const Case& c) {
  CheckDepthwise<uint8_t, DepthwiseCodes, int8_t>(t, t.depthwise_codes, c);
}
void CheckDepthwiseS16(const Kernels& t, const Case& c) {
  CheckDepthwise<int16_t, DepthwiseS16, int16_t>(t, t.depthwise_s16, c);
}

void CheckNarrow(const Kernels& t, const Case& c) {
  const int rows = c.One("rows"), n = c.One("n");
  const size_t stride = static_cast<size_t>(n);
  const auto expected = c.All<uint8_t>("out");
  Guarded<int32_t> acc(c.All<int32_t>("acc"));
  Guarded<int16_t> mult(c.All<int16_t>("mult"));
  Guarded<uint8_t> shift(c.All<uint8_t>("shift")), out(expected.size());
  const int k = c.One("k"), zero = c.One("zero"), lo = c.One("lo"), hi = c.One("hi");
  if (c.Has("unit_bits")) {
    t.requantize_gelu({acc.data(), stride, 0, mult.data(), shift.data(), c.One("unit_bits"), c.One<int16_t>("out_mult"),
                       k, zero, lo, hi, t.flip, out.data(), stride, rows, n});
  } else {
    t.requantize_narrow(
        {acc.data(), stride, 0, mult.data(), shift.data(), k, zero, lo, hi, t.flip, out.data(), stride, rows, n});
  }
  EXPECT_EQ(Flipped(out.Values(), t.flip), expected);
}

void CheckRequantizeR24(const Kernels& t, const Case& c) {
  const size_t n = c.One<size_t>("n");
  const auto expected = c.All<int32_t>("out");
  Guarded<int32_t> acc(c.All<int32_t>("acc")), mult(c.All<int32_t>("mult")), out(expected.size());
  Guarded<int32_t> add(c.Has("add") ? c.All<int32_t>("add") : std::vector<int32_t>());
  Guarded<int16_t> add16(c.Has("add16") ? c.All<int16_t>("add16") : std::vector<int16_t>());
  Guarded<uint8_t> shift(c.All<uint8_t>("shift"));
  t.requantize_r24({acc.data(),
                    n,
                    {mult.data(), shift.data()},
                    c.Has("add") ? add.data() : nullptr,
                    n,
                    c.Has("add16") ? add16.data() : nullptr,
                    n,
                    out.data(),
                    n,
                    c.One("rows"),
                    c.One("n")});
  EXPECT_EQ(out.Values(), expected);
}

void CheckRequantizeS16(const Kernels& t, const Case& c) {
  const size_t n = c.One<size_t>("n");
  const auto expected = c.All<int16_t>("out");
  Guarded<int32_t> acc(c.All<int32_t>("acc")), mult(c.All<int32_t>("mult"));
  Guarded<uint8_t> shift(c.All<uint8_t>("shift"));
  Guarded<int16_t> add(c.Has("add") ? c.All<int16_t>("add") : std::vector<int16_t>()), out(expected.size());
  t.requantize_s16({.acc = acc.data(),
                    .acc_stride = n,
                    .rq = {mult.data(), shift.data()},
                    .lo = c.One("lo"),
                    .hi = c.One("hi"),
                    .out = out.data(),
                    .out_stride = n,
                    .rows = c.One("rows"),
                    .n = c.One("n"),
                    .add = c.Has("add") ? add.data() : nullptr,
                    .add_stride = n});
  EXPECT_EQ(out.Values(), expected);
}

void CheckQuantizeCodes(const Kernels& t, const Case& c) {
  const auto expected = c.All<uint8_t>("out");
  const bool is_wide = c.Has("wide"), is_sum = c.Has("y");
  Guarded<int16_t> x(is_wide ? std::vector<int16_t>() : c.All<int16_t>("x")),
      y(is_sum ? c.All<int16_t>("y") : std::vector<int16_t>());
  Guarded<int32_t> wide(is_wide ? c.All<int32_t>("wide") : std::vector<int32_t>());
  Guarded<uint8_t> out(expected.size());
  t.quantize_codes({is_wide ? nullptr : x.data(), is_sum ? y.data() : nullptr, is_wide ? wide.data() : nullptr,
                    c.One<int32_t>("mult"), c.One("shift"), c.One("zero"), c.One("lo"), c.One("hi"), t.flip, out.data(),
                    out.size()});
  EXPECT_EQ(Flipped(out.Values(), t.flip), expected);
}

void CheckNarrowR24(const Kernels& t, const Case& c) {
  Guarded<int32_t> x(c.All<int32_t>("x"));
  Guarded<int16_t> out(x.size());
  t.narrow_r24({.x = x.data(), .out = out.data(), .n = x.size()});
  EXPECT_EQ(out.Values(), c.All<int16_t>("out"));
}

void CheckGeluS16(const Kernels& t, const Case& c) {
  Guarded<int16_t> x(c.All<int16_t>("x"));
  t.gelu_s16({x.data(), x.size(), c.One("unit_bits")});
  EXPECT_EQ(x.Values(), c.All<int16_t>("out"));
}

void CheckLayerNormNarrow(const Kernels& t, const Case& c) {
  const size_t channels = c.One<size_t>("channels");
  const auto expected = c.All<uint8_t>("out");
  Guarded<int32_t> x(c.All<int32_t>("x")), bias(c.All<int32_t>("bias"));
  Guarded<int16_t> gain(c.All<int16_t>("gain"));
  Guarded<uint8_t> out(expected.size());
  t.layer_norm_narrow({x.data(), channels, c.One<int64_t>("epsilon"), c.One<int32_t>("sqrt_c"), gain.data(),
                       bias.data(), c.One("k"), c.One("lo"), c.One("hi"), t.flip, out.data(), channels, c.One("rows"),
                       c.One("channels")});
  EXPECT_EQ(Flipped(out.Values(), t.flip), expected);
}

void CheckLayerNormWide(const Kernels& t, const Case& c) {
  const size_t channels = c.One<size_t>("channels");
  const auto expected = c.All<int16_t>("out");
  Guarded<int32_t> x(c.All<int32_t>("x")), gain(c.All<int32_t>("gain"));
  Guarded<int64_t> bias(c.All<int64_t>("bias"));
  Guarded<int16_t> out(expected.size());
  t.layer_norm_wide({x.data(), channels, c.One<int64_t>("epsilon"), c.One<int32_t>("sqrt_c"), gain.data(), bias.data(),
                     c.One("shift"), out.data(), channels, c.One("rows"), c.One("channels")});
  EXPECT_EQ(out.Values(), expected);
}

void CheckSoftmaxRow(const Kernels& t, const Case& c) {
  const auto expected = c.All<uint16_t>("prob");
  const bool biased = c.Has("rh");
  SoftmaxCode code;
  if (c.Has("variant")) {
    code.variant = static_cast<SoftmaxVariant>(c.One("variant"));
    code.bits = c.One("bits");
  }
  if (code.variant == SoftmaxVariant::kU8) {
    code.step_mult = c.One<uint16_t>("step_mult");
    code.step_shift = c.One("step_shift");
  } else if (code.variant == SoftmaxVariant::kAgq) {
    code.tau_shift = c.One("tau_shift");
    code.log2_scale = c.One("log2_scale");
  }
  Guarded<int32_t> logits(c.All<int32_t>("logits")), rh(c.All<int32_t>("rh")), rw(c.All<int32_t>("rw"));
  const int count = static_cast<int>(logits.size());
  Guarded<uint16_t> prob(static_cast<size_t>(RoundUp(count, kPanel)));
  SoftmaxRow s{logits.data(),
               biased ? rh.data() : nullptr,
               biased ? rw.data() : nullptr,
               0,
               c.One("side_h"),
               c.One("side_w"),
               count,
               c.One("shift"),
               c.One<uint16_t>("mult"),
               code,
               prob.data(),
               0};
  t.softmax_row(s);
  auto padded = expected;
  padded.resize(prob.size());
  EXPECT_EQ(prob.Values(), padded);
  EXPECT_EQ(s.sum, c.One<int32_t>("sum"));
}

void CheckAttentionMix(const Kernels& t, const Case& c) {
  const int count = c.One("count"), d = c.One("d");
  const size_t padded = static_cast<size_t>(RoundUp(count, kPanel));
  auto padded_prob = c.All<uint16_t>("prob");
  padded_prob.resize(padded);
  Guarded<uint16_t> prob(padded_prob);
  Guarded<int8_t> v(c.All<int8_t>("v"));
  Guarded<int16_t> values(padded * static_cast<size_t>(d));
  t.pack_values({v.data(), static_cast<size_t>(d), count, d, values.data()});
  Guarded<int64_t> out(static_cast<size_t>(d));
  t.attention_mix({prob.data(), padded, values.data(), 1, count, d, out.data()});
  EXPECT_EQ(out.Values(), c.All<int64_t>("out"));
}

void CheckAttentionOutput(const Kernels& t, const Case& c) {
  Guarded<int64_t> n(c.All<int64_t>("n"));
  Guarded<int32_t> sum(c.All<int32_t>("sum"));
  Guarded<uint8_t> out(n.size());
  const bool divide = c.Has("sum");
  const int d = c.One("d"), rows = static_cast<int>(n.size()) / d;
  t.attention_output({n.data(), divide ? sum.data() : nullptr, divide ? 0 : c.One("pre_shift"), c.One<int32_t>("mult"),
                      c.One("shift"), 128, c.One("lo"), c.One("hi"), t.flip, out.data(), static_cast<size_t>(d), rows,
                      d});
  std::vector<int> values;
  for (uint8_t code : Flipped(out.Values(), t.flip)) values.push_back(code - 128);
  EXPECT_EQ(values, c.All<int>("out"));
}

void CheckRelativePosition(const Kernels& t, const Case& c) {
  const auto expected = c.All<int32_t>("out");
  Guarded<int8_t> q(c.All<int8_t>("q"));
  const auto table = c.All<int16_t>("table");
  const size_t d = c.One<size_t>("d"), positions = table.size() / d;
  Guarded<int16_t> pairs(table.size());
  for (size_t i = 0; i < table.size(); ++i) pairs.data()[(i % d / 2 * positions + i / d) * 2 + i % 2] = table[i];
  Guarded<int32_t> bias(std::vector<int32_t>(positions, 0)), out(expected.size());
  t.relative_position({q.data(), d, pairs.data(), bias.data(), static_cast<int>(positions), c.One("first"), 0,
                       c.One("count"), c.One<int32_t>("mult"), c.One("shift"), out.data(), c.One<size_t>("count"),
                       c.One("rows"), c.One("d")});
  EXPECT_EQ(out.Values(), expected);
}

// ---------------------------------------------------------------- functions alone

void CheckLog2(const Kernels&, const Case& c) {
  std::vector<int32_t> got;
  for (uint32_t s : c.All<uint32_t>("s")) got.push_back(Log2(s));
  EXPECT_EQ(got, c.All<int32_t>("out"));
}

void CheckSine(const Kernels&, const Case& c) {
  std::vector<int16_t> got;
  for (uint32_t phase : c.All<uint32_t>("phase")) got.push_back(Sine(phase));
  EXPECT_EQ(got, c.All<int16_t>("out"));
}

void CheckAgq(const Kernels&, const Case& c) {
  const int bits = c.One("bits"), kt = c.One("kt");
  const int32_t row = AgqRowTerm(c.One<uint32_t>("sum"), c.One<int32_t>("log2_scale"));
  std::vector<int> codes, decoded;
  for (uint16_t t : c.All<uint16_t>("t")) codes.push_back(AgqCode(t, row, kt, bits));
  for (int code = 0; code <= 1 << bits; ++code) decoded.push_back(AgqDecode(code, kt, bits));
  EXPECT_EQ(codes, c.All<int>("out"));
  EXPECT_EQ(decoded, c.All<int>("decode"));
}

void CheckUniform(const Kernels&, const Case& c) {
  const UniformRow row = UniformRowOf(c.One<uint32_t>("sum"), c.One<uint16_t>("mult"), c.One("shift"));
  std::vector<int> codes;
  for (uint16_t e : c.All<uint16_t>("e")) codes.push_back(UniformCode(e, row, c.One("bits")));
  EXPECT_EQ(codes, c.All<int>("out"));
}

class VectorsTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(VectorsTest);

TEST_P(VectorsTest, EveryCaseAgrees) {
  const std::map<std::string, void (*)(const Kernels&, const Case&)> checks = {
      {"gemm_a8w8", CheckGemmA8W8},
      {"gemm_a16w8", CheckGemmA16W8},
      {"depthwise_codes", CheckDepthwiseCodes},
      {"depthwise_s16", CheckDepthwiseS16},
      {"requantize_narrow", CheckNarrow},
      {"requantize_gelu", CheckNarrow},
      {"requantize_r24", CheckRequantizeR24},
      {"requantize_s16", CheckRequantizeS16},
      {"quantize_codes", CheckQuantizeCodes},
      {"gelu_s16", CheckGeluS16},
      {"narrow_r24", CheckNarrowR24},
      {"layer_norm_narrow", CheckLayerNormNarrow},
      {"layer_norm_wide", CheckLayerNormWide},
      {"softmax_row", CheckSoftmaxRow},
      {"attention_mix", CheckAttentionMix},
      {"attention_output", CheckAttentionOutput},
      {"relative_position", CheckRelativePosition},
      {"log2", CheckLog2},
      {"sine", CheckSine},
      {"agq", CheckAgq},
      {"uniform", CheckUniform},
  };
  std::map<std::string, int> seen;
  int index = 0;
  for (const Case& c : ReadCases()) {
    SCOPED_TRACE("case " + std::to_string(index++) + " " + c.kernel);
    ASSERT_EQ(checks.count(c.kernel), 1u);
    checks.at(c.kernel)(*GetParam(), c);
    ++seen[c.kernel];
  }
  for (const auto& [kernel, check] : checks) EXPECT_GT(seen[kernel], 0) << "no vectors for " << kernel;
}

}  // namespace
}  // namespace intsam::internal
