// Weight codes as a layer stores them, and what the layer makes of them: products with any zero points, on every tier.
#include "converter/quantize/pack_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "runtime/base/cpu.h"
#include "runtime/ops/ops.h"
#include "runtime/records/proof.h"

namespace intsam::internal {
namespace {

struct Codes8 {
  std::vector<uint8_t> codes, zero;  // [out][in], [out]
};

// Codes of all values, the least and the largest among them often.
Codes8 RandomCodes(uint32_t out, uint32_t in, int least_zero, int most_zero, uint32_t seed) {
  std::mt19937 random(seed);
  Codes8 w{std::vector<uint8_t>(size_t{out} * in), std::vector<uint8_t>(out)};
  for (uint8_t& code : w.codes) code = static_cast<uint8_t>(random() % 8 == 0 ? random() % 2 * 255 : random() % 256);
  for (uint8_t& zero : w.zero)
    zero = static_cast<uint8_t>(std::uniform_int_distribution<>(least_zero, most_zero)(random));
  return w;
}

// Accumulators of a layer with such weights over codes, from channel `first` on, by every tier that runs here.
void CheckProducts(const Codes8& w, uint32_t in, uint32_t first, uint32_t seed) {
  const auto out = static_cast<uint32_t>(w.zero.size());
  TensorPool pool;
  Linear linear;
  linear.in = in, linear.out = out;
  SetWeights(linear, w.codes, w.zero, 8, pool);
  std::mt19937 random(seed);
  std::vector<int32_t> bias(linear.padded_out());
  for (int32_t& b : bias) b = static_cast<int32_t>(random() % 200001) - 100000;
  linear.bias = pool.Add(std::vector<int32_t>(bias.begin(), bias.begin() + out));
  const Codes codes{static_cast<uint32_t>(random() % 256), 0, 255};
  Proof proof(nullptr);
  proof.CodesLayer("layer", linear, codes);
  ASSERT_TRUE(proof.status.ok()) << proof.status.message();

  constexpr int kRows = 5;
  std::vector<uint8_t> a(size_t{kRows} * in);
  for (uint8_t& code : a) code = static_cast<uint8_t>(random() % 256);
  const int count = static_cast<int>(out - first);
  for (const Kernels* k : BuiltKernels()) {
    if (!CpuSupports(k->name)) continue;
    SCOPED_TRACE(k->name);
    std::vector<uint8_t> operand(a.size() + kPadBytes);
    std::transform(a.begin(), a.end(), operand.begin(), [&](uint8_t code) { return code ^ k->flip; });
    const size_t stride = linear.padded_out();
    std::vector<int32_t> acc(kRows * stride);
    ops::Gemm(*k, OverCodes(linear, codes, k->flip), {operand.data(), in}, kRows, {acc.data(), stride}, first, count);
    for (size_t i = 0; i < kRows; ++i) {
      for (size_t j = first; j < out; ++j) {
        int64_t sum = bias[j];
        for (size_t c = 0; c < in; ++c)
          sum += (int64_t{a[i * in + c]} - codes.zero) * (int{w.codes[j * in + c]} - int{w.zero[j]});
        ASSERT_EQ(acc[i * stride + j - first], sum) << "row " << i << " channel " << j;
      }
    }
  }
}

TEST(PackWeights, ProductsWithZeroPointsAnywhere) {
  for (uint32_t seed = 0; seed < 8; ++seed) {
    CheckProducts(RandomCodes(1 + 19 * seed, 4 + 12 * seed, 0, 255, seed), 4 + 12 * seed, 0, seed);
    CheckProducts(RandomCodes(40, 64, 0, 255, seed), 64, 16 * (seed % 3), seed);
  }
  for (const int zero : {0, 127, 128, 129, 255}) CheckProducts(RandomCodes(20, 32, zero, zero, 1), 32, 0, 1);
}

TEST(PackWeights, ShiftOnlyWhereS8DoesNotHoldTheWeights) {
  TensorPool pool;
  Linear linear;
  linear.in = 4, linear.out = 2;
  SetWeights(linear, {1, 255, 128, 3, 0, 127, 100, 50}, {128, 127}, 8, pool);
  EXPECT_EQ(linear.shifted, 0u);
  EXPECT_TRUE(linear.shift.empty());
  SetWeights(linear, {1, 255, 128, 3, 0, 127, 100, 255}, {128, 127}, 8, pool);
  ASSERT_EQ(linear.shifted, 1u);
  ASSERT_EQ(linear.shift.size(), 16u);
  EXPECT_EQ(linear.shift[0], 0);
  EXPECT_EQ(linear.shift[1], 1);
  SetWeights(linear, {0, 255, 128, 3, 1, 127, 100, 50}, {128, 127}, 8, pool);  // -128
  EXPECT_EQ(linear.shifted, 1u);
  EXPECT_EQ(*std::max_element(linear.shift.begin(), linear.shift.end()), 0);
}

// What s16 values meet, and how far a shift may bring sums.
TEST(PackWeights, ProofOfShifts) {
  TensorPool pool;
  Linear linear;
  linear.in = 4, linear.out = 1;
  SetWeights(linear, {0, 255, 0, 255}, {255}, 8, pool);
  linear.bias = pool.Add(std::vector<int32_t>{0});
  Proof over_s16(nullptr);
  over_s16.S16Layer("layer", linear);
  EXPECT_NE(over_s16.status.message().find("layer: channel 0: weights over s16 values have no shift"),
            std::string::npos);
  Proof over_codes(nullptr);
  const std::vector<int64_t> bounds = over_codes.CodesLayer("layer", linear, {255, 0, 255});
  EXPECT_TRUE(over_codes.status.ok());
  EXPECT_GE(bounds[0], 2 * 255 * 255);
  linear.bias = pool.Add(std::vector<int32_t>{static_cast<int32_t>(kAccumulatorMax) - 255 * 4 * 127});
  Proof too_large(nullptr);
  too_large.CodesLayer("layer", linear, {255, 0, 255});
  EXPECT_FALSE(too_large.status.ok());
}

}  // namespace
}  // namespace intsam::internal
