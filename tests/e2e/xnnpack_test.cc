// A baseline that computes something else would be no opponent: XNNPACK's layers against plain sums, and the float
// model on them against the one on oneDNN.
#include "apps/bench/xnnpack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/calibrate.h"

namespace intsam::internal {
namespace {

TEST(Xnnpack, ALayerIsAProduct) {
  constexpr size_t kIn = 36, kOut = 21, kRows = 9;
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> weight(kOut * kIn), x(kRows * kIn), y(kRows * kOut);
  for (float& v : weight) v = uniform(engine);
  const Result<LinearLibrary> library = XnnpackLinears(2);
  ASSERT_TRUE(library.ok()) << library.status().message();
  const auto layer = library.value()(weight.data(), kIn, kOut, kRows);
  for (int run = 0; run < 2; ++run) {  // the pointers may differ from run to run, the layer stays
    for (float& v : x) v = uniform(engine);
    layer->Run(x.data(), y.data());
    for (size_t i = 0; i < y.size(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < kIn; ++k) sum += double{x[i / kOut * kIn + k]} * weight[i % kOut * kIn + k];
      ASSERT_NEAR(y[i], sum, 1e-5) << i;
    }
  }
}

TEST(Xnnpack, TheModelIsTheSame) {
  const FloatModel model = SyntheticModel(PresetConfig("micro").value(), 1);
  const CalibrationImage image = SyntheticImage(model.config, 1);
  FloatSam onednn(model, 2), xnnpack(model, 2, WeightLayout::kPacked, XnnpackLinears(2).value());
  const auto expected = onednn.EncodeImage(image.rgb.data(), image.size.height, image.size.width);
  const auto got = xnnpack.EncodeImage(image.rgb.data(), image.size.height, image.size.width);
  ASSERT_EQ(got.size(), expected.size());
  double largest = 0;
  for (const float v : expected) largest = std::max(largest, std::abs(double{v}));
  ASSERT_GT(largest, 0);
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-4 * largest) << i;
}

}  // namespace
}  // namespace intsam::internal
