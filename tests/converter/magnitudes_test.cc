// Numbers that are too large to quantize are refused by the name of their tensor or site.
#include "converter/quantize/magnitudes.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace intsam::internal {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

void ExpectRefused(const Status& status, const std::string& word) {
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(Code::kUnsupported));
  EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
}

TEST(Magnitudes, Weights) {
  FloatModel model;
  model.tensors["b.weight"] = {1, -2e6f};
  model.tensors["c.weight"] = {0, kNaN};
  model.tensors["a.weight"] = {-1048576, 1048576, 1e-45f};
  ExpectRefused(CheckWeights(model), "tensor b.weight: holds -2e+06");
  model.tensors["b.weight"] = {1, 2};
  ExpectRefused(CheckWeights(model), "tensor c.weight: holds nan");
  model.tensors["c.weight"] = {0};
  EXPECT_TRUE(CheckWeights(model).ok());
}

TEST(Magnitudes, ScalesOfAnImportedPlan) {
  QuantizationPlan plan;
  plan.activations["x.in"] = {0.01, 0, 8};
  plan.weights["x"].scale = {0.5f, 0.25f};
  EXPECT_TRUE(CheckScales(plan).ok());
  plan.activations["x.in"].scale = 1e38;
  ExpectRefused(CheckScales(plan), "tensor x.in.scale: holds 1e+38");
  plan.weights["x"].scale[1] = 3e9f;
  ExpectRefused(CheckScales(plan), "tensor x.weight_scale: holds 3e+09");
}

TEST(Magnitudes, WhatCalibrationSaw) {
  const auto seen = [](std::vector<float> values) {
    Statistics statistics;
    statistics.Add("fair", std::vector<float>{1, 2, 3}, 1);
    statistics.Add("site", values, 1);
    return CheckObserved(statistics);
  };
  EXPECT_TRUE(seen({-1048576, 5}).ok());
  ExpectRefused(seen({0, 3e8f}), "site: calibration saw 3e+08");
  for (const float value : {kNaN, kInfinity, -kInfinity}) ExpectRefused(seen({0, value, 1}), "not finite");
  ExpectRefused(seen({kInfinity, -kInfinity}), "not finite");  // whose sum is not infinite
}

}  // namespace
}  // namespace intsam::internal
