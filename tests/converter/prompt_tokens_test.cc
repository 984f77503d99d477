// Prompts of every kind become the same tokens in the float reference, which follows the original package, and in the
// integer runtime, and a mask alone gives the same masks.
#include <gtest/gtest.h>

#include <cmath>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/quantize/calibrate.h"
#include "converter/quantize/parameters.h"
#include "runtime/exec/prompt_tokens.h"
#include "runtime/exec/session.h"
#include "tests/converter/float_results.h"
#include "tests/format/micro_model.h"

namespace intsam::internal {
namespace {

constexpr uint64_t kSeed = 3;

struct Kind {
  const char* name;
  bool points, box, mask;
};
constexpr Kind kKinds[] = {{"points", true, false, false},         {"box", false, true, false},
                           {"points and box", true, true, false},  {"mask alone", false, false, true},
                           {"points and mask", true, false, true}, {"all", true, true, true}};

class PromptTokensTest : public ::testing::Test {
 protected:
  // Logits of one magnitude, positive inside a circle.
  std::vector<float> FloatMask(double magnitude) const {
    const uint32_t side = config_.low_res();
    std::vector<float> mask;
    for (uint32_t i = 0; i < side * side; ++i) {
      mask.push_back(std::hypot(float(i % side) - 12, float(i / side) - 15) < 8 ? float(magnitude) : -float(magnitude));
    }
    return mask;
  }

  const SamConfig config_ = MicroConfig();
  const FloatModel float_model_ = SyntheticModel(config_, kSeed);
  const std::unique_ptr<QuantizedModel> quantized_ = testing::MakeModel(config_, kSeed);
  const CalibrationImage image_ = SyntheticImage(config_, kSeed);
};

TEST_F(PromptTokensTest, AreThoseOfTheFloatReference) {
  const IntegerModel& model = quantized_->model;
  const double unit = ToReal(model.mask_decoder.token_unit);
  const Frame frame{image_.size, image_.size};
  const std::vector<PointPrompt> points = {{40 * 64, 50 * 64, 1}, {90 * 64, 20 * 64, 0}};
  const BoxPrompt box = {20 * 64, 30 * 64, 90 * 64, 80 * 64};
  const std::vector<float> mask = FloatMask(10);
  const std::vector<int16_t> codes(mask.size());
  const std::vector<float> embedding(size_t{config_.grid()} * config_.grid() * config_.prompt_embed_dim);
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    FloatPrompt real;
    Prompt integer;
    if (kind.points) real.points = {40, 50, 90, 20}, real.labels = {1, 0}, integer.points = points;
    if (kind.box) real.has_box = true, real.box[0] = 20, real.box[1] = 30, real.box[2] = 90, real.box[3] = 80;
    if (kind.box) integer.box = &box;
    if (kind.mask) real.mask_input = mask.data(), integer.mask = codes.data();

    FloatSam sam(float_model_, 1);
    std::vector<float> expected;
    sam.set_hook([&](std::string_view site, std::span<float> values, size_t) {
      if (expected.empty() && site == "mask_decoder.tokens") expected.assign(values.begin(), values.end());
    });
    sam.Decode(embedding, real);
    std::vector<int16_t> tokens(size_t{TokenCount(config_, integer)} * config_.prompt_embed_dim);
    ASSERT_EQ(tokens.size(), expected.size());
    PromptTokens(model, frame, integer, tokens.data());
    for (size_t i = 0; i < tokens.size(); ++i) ASSERT_NEAR(tokens[i] * unit, expected[i], 2 * unit) << i;
  }
}

TEST_F(PromptTokensTest, AMaskAloneGivesTheMasksOfTheFloatReference) {
  FloatSam sam(float_model_, 1);
  const double unit = ToReal(quantized_->model.mask_decoder.logit_unit);
  const std::vector<float> mask = FloatMask(20000 * unit);  // of what random weights give
  FloatPrompt real;
  real.mask_input = mask.data();
  const FloatMasks expected =
      sam.Decode(sam.EncodeImage(image_.rgb.data(), image_.size.height, image_.size.width), real);

  const testing::ModelBytes bytes = testing::FileOf(quantized_->model, "{}");
  auto model = Model::OpenMemory(bytes);
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto session = Session::Create(**model, {1, nullptr, nullptr});
  ASSERT_TRUE(session.ok()) << session.status().message();
  const size_t stride = size_t{image_.size.width} * 3;
  ASSERT_TRUE((*session)->SetImage(image_.rgb.data(), image_.size, stride, PixelFormat::kRgb).ok());
  std::vector<int16_t> codes;
  for (const float logit : mask) codes.push_back(static_cast<int16_t>(std::lround(logit / unit)));
  ASSERT_TRUE((*session)->Predict({{}, nullptr, codes.data()}).ok());
  std::vector<float> found;
  for (size_t i = 0; i < expected.low_res.size(); ++i)
    found.push_back(static_cast<float>((*session)->LowRes(0, 0)[i] * unit));
  EXPECT_LT(RelativeError(expected.low_res, found), 0.12) << "0.085 when this was written";
}

}  // namespace
}  // namespace intsam::internal
