// What quantizing parts of a model costs, and the widths of weights that follow from it.
#include "converter/quantize/sensitivity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "converter/convert.h"
#include "converter/pack/isam_writer.h"
#include "converter/quantize/bit_budget.h"
#include "converter/quantize/time_budget.h"
#include "tests/converter/float_results.h"

namespace intsam::internal {
namespace {

using Widths = std::map<std::string, int, std::less<>>;

const auto kEverything = [](const std::string&) { return true; };
const auto kNothing = [](const std::string&) { return false; };

// The micro model, its plan, and what one picture says of both.
class Planned : public ::testing::Test {
 protected:
  void SetUp() override {
    ConvertOptions options;
    options.bits = ParseBitProfile("w4a4").value();
    options.method = MakeMethod("intsam", {}, {}, "agq").value();
    options.calibration = {1, 1};
    options.threads = 1;
    plan_ = PlanConversion(model_, images_, options, {}).value().plan;
    sensitivity_ = std::make_unique<Sensitivity>(model_, images_, 1, 1);
  }

  FloatModel model_ = SyntheticModel(MicroConfig(), 1);
  const std::vector<CalibrationImage> images_ = {SyntheticImage(model_.config, 1)};
  QuantizationPlan plan_;
  std::unique_ptr<Sensitivity> sensitivity_;
};

TEST_F(Planned, LossIsOfWhatIsCoded) {
  const Loss none = sensitivity_->Measure(plan_, kNothing), all = sensitivity_->Measure(plan_, kEverything);
  EXPECT_EQ(none.embedding, 0);
  EXPECT_LT(none.masks, 1e-9);
  EXPECT_GT(all.embedding, 1e-4);
  EXPECT_GT(all.masks, 1e-4);
  for (const char* end : {".q", ".weight", ".softmax"}) {
    const auto coded = [&](const std::string& part) {
      return part.starts_with("image_encoder") && part.ends_with(end);
    };
    const Loss some = sensitivity_->Measure(plan_, coded);
    EXPECT_GT(some.embedding, 1e-9) << end;
    EXPECT_LT(some.embedding, all.embedding) << end;
  }
  const auto decoder = [](const std::string& part) { return part.starts_with("mask_decoder"); };
  EXPECT_EQ(sensitivity_->Measure(plan_, decoder).embedding, 0);
  EXPECT_GT(sensitivity_->Measure(plan_, decoder).masks, 1e-6);
}

TEST_F(Planned, WeightsAreThoseOfTheModelAfterwards) {
  const FloatResults before = Results(model_);
  sensitivity_->Measure(plan_, kEverything);
  EXPECT_EQ(Distance(before, Results(model_)), 0);
}

TEST_F(Planned, PartsAreAllThatThePlanCodes) {
  const std::vector<std::string> parts = PartsOf(plan_);
  EXPECT_EQ(parts.size(), plan_.activations.size() + plan_.weights.size() + plan_.softmax.size());
  plan_.softmax.begin()->second.kind = SoftmaxCoding::kExact;
  EXPECT_EQ(PartsOf(plan_).size(), parts.size() - 1);
}

TEST(KindOf, NumbersOfBlocksAreStars) {
  EXPECT_EQ(KindOf("image_encoder.blocks.11.attn.q"), "image_encoder.blocks.*.attn.q");
  EXPECT_EQ(KindOf("image_encoder.layers.2.blocks.0.mlp.fc1.weight"), "image_encoder.layers.*.blocks.*.mlp.fc1.weight");
}

LayerCost Layer(const char* name, uint32_t in, uint32_t out, double loss, int most_bits = 8) {
  return {{name, SiteClass::kEncoderMlp, in, out, true}, most_bits, loss};
}

double LossOf(const std::vector<LayerCost>& layers, const Widths& bits) {
  double sum = 0;
  for (const LayerCost& layer : layers) sum += layer.loss * std::pow(0.25, bits.at(layer.layer.name) - 4);
  return sum;
}

uint64_t BytesOf(const std::vector<LayerCost>& layers, const Widths& bits) {
  uint64_t sum = 0;
  for (const LayerCost& layer : layers) sum += WeightBytes(layer.layer, bits.at(layer.layer.name));
  return sum;
}

TEST(ChooseWeightBits, EveryLayerKeepsItsMostWhereThereIsRoom) {
  const std::vector<LayerCost> layers = {Layer("a", 64, 64, 1), Layer("b", 64, 128, 2, 6)};
  EXPECT_EQ(ChooseWeightBits(layers, 1 << 20), (Widths{{"a", 8}, {"b", 6}}));
  EXPECT_EQ(ChooseWeightBits(layers, 0), (Widths{{"a", 4}, {"b", 4}}));
}

// Of all 125 choices for layers of one size, none that fits loses less.
TEST(ChooseWeightBits, LosesLeast) {
  const std::vector<LayerCost> layers = {Layer("a", 64, 64, 1), Layer("b", 64, 64, 0.01), Layer("c", 64, 64, 0.2)};
  for (uint64_t bytes = 6400; bytes <= 12400; bytes += 250) {
    const Widths chosen = ChooseWeightBits(layers, bytes);
    EXPECT_LE(BytesOf(layers, chosen), bytes);
    for (int code = 0; code < 125; ++code) {
      const Widths other = {{"a", 4 + code % 5}, {"b", 4 + code / 5 % 5}, {"c", 4 + code / 25}};
      if (BytesOf(layers, other) > bytes) continue;
      // One bit that was not worth a whole layer's bytes may be left over.
      EXPECT_LE(LossOf(layers, chosen), 4 * LossOf(layers, other)) << bytes << " " << code;
    }
  }
}

// Of all choices none that is as fast loses less than half.
TEST(ChooseWidths, LosesLeast) {
  const std::vector<StepChoices> steps = {
      {"embed", {{{8, 8}, 1, 0}}},
      {"a", {{{8, 8}, 10, 0.01}, {{8, 7}, 7, 0.02}, {{6, 6}, 6, 0.5}, {{4, 8}, 8, 0.1}}},
      {"b", {{{8, 8}, 10, 0.001}, {{8, 7}, 9, 0.002}, {{6, 6}, 4, 0.003}, {{4, 8}, 5, 0.004}}}};
  const auto loss_of = [&](std::span<const size_t> chosen) {
    double sum = 0;
    for (size_t i = 0; i < steps.size(); ++i) sum += steps[i].choices[chosen[i]].loss;
    return sum;
  };
  for (double seconds = 11; seconds <= 22; ++seconds) {
    const std::vector<size_t> chosen = ChooseWidths(steps, seconds);
    EXPECT_LE(SecondsOf(steps, chosen), seconds);
    for (size_t other = 0; other < 16; ++other) {
      const std::vector<size_t> choice = {0, other % 4, other / 4};
      if (SecondsOf(steps, choice) > seconds) continue;
      EXPECT_LE(loss_of(chosen), 2 * loss_of(choice)) << seconds << " " << other;
    }
  }
  EXPECT_EQ(SecondsOf(steps, ChooseWidths(steps, 0)), 11);
  EXPECT_EQ(ChooseWidths(steps, 21), (std::vector<size_t>{0, 0, 0}));
}

TEST(WithChosen, OneStepHasOtherWidths) {
  const std::vector<StepChoices> steps = {{"image_encoder.blocks.1.mlp", {{{8, 8}, 2, 0}, {{6, 7}, 1, 0}}},
                                          {"image_encoder.patch_embed", {{{8, 8}, 1, 0}}}};
  const BitProfile chosen = WithChosen(ParseBitProfile("w8a8").value(), steps, std::vector<size_t>{1, 0});
  for (const LayerSite& layer : QuantizedLayers(MicroConfig())) {
    const bool below = layer.name.starts_with("image_encoder.blocks.1.mlp.");
    EXPECT_EQ(chosen.Of(layer), (below ? BitWidths{6, 7} : BitWidths{8, 8})) << layer.name;
  }
}

TEST(FitToSize, TheFileIsNotLarger) {
  const std::vector<CalibrationImage> images = {SyntheticImage(MicroConfig(), 1)};
  ConvertOptions options;
  options.calibration = {1, 1};
  options.threads = 1;
  const auto size_with = [&](uint64_t most) {
    FloatModel model = SyntheticModel(MicroConfig(), 1);
    options.most_bytes = most;
    auto converted = Convert(model, images, options, {});
    if (!converted.ok()) return uint64_t{0};
    for (const auto& [name, attention] : converted->report.attentions) {  // of the round that chose, too
      EXPECT_GT(attention.softmax.uniform_error, 0) << name << " " << most;
    }
    std::vector<uint8_t> file = ModelBytes(converted->quantized->model, converted->provenance).value();
    return uint64_t{file.size()};
  };
  const uint64_t full = size_with(0);
  const uint64_t less = full - full / 20;
  EXPECT_LE(size_with(less), less);
  EXPECT_GT(size_with(less), less - full / 20);
  EXPECT_EQ(size_with(1000), 0u);
}

}  // namespace
}  // namespace intsam::internal
