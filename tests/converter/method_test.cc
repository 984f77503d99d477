// Presets, features and their names.
#include "converter/quantize/method.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace intsam::internal {
namespace {

using Names = std::vector<std::string>;

Names Features(const std::string& preset, const Names& enable = {}, const Names& ablate = {},
               const std::string& softmax = "") {
  const auto method = MakeMethod(preset, enable, ablate, softmax);
  EXPECT_TRUE(method.ok()) << method.status().message();
  Names names = EnabledFeatures(method.value());
  std::sort(names.begin(), names.end());
  return names;
}

Names AllFeatures() {
  Names names;
  std::istringstream list(FeatureNames());
  for (std::string name; std::getline(list >> std::ws, name, ',');) names.push_back(name);
  return names;
}

TEST(Method, Presets) {
  EXPECT_EQ(Features("minmax"), Names{});
  EXPECT_EQ(Features("percentile"), Names{});
  EXPECT_EQ(Features("ptq4sam"), (Names{"agq", "big", "weight-search"}));
  EXPECT_EQ(MakeMethod("minmax", {}, {}, "").value().observer, Observer::kMinMax);
  EXPECT_EQ(MakeMethod("percentile", {}, {}, "").value().observer, Observer::kPercentile);
  EXPECT_EQ(MakeMethod("ptq4sam", {}, {}, "").value().observer, Observer::kAverageMinMax);
  EXPECT_EQ(MakeMethod("intsam", {}, {}, "").value().softmax, SoftmaxPolicy::kAuto);
  const Names own = Features("intsam");
  for (const char* name :
       {"big", "key-centring", "value-centring", "channel-scaling", "migration", "mse-observer", "token-projections",
        "stream-values"}) {
    EXPECT_TRUE(std::count(own.begin(), own.end(), name)) << name;
  }
  for (const char* preset : {"minmax", "percentile", "ptq4sam", "intsam"}) {
    EXPECT_EQ(MakeMethod(preset, {}, {}, "").value().name, preset);
  }
}

TEST(Method, EveryFeatureGoesOnAndOff) {
  const Names all = AllFeatures();
  EXPECT_EQ(all.size(), 12u);
  for (const std::string& name : all) {
    EXPECT_EQ(Features("minmax", {name}), Names{name});
    EXPECT_EQ(Features("minmax", all, {name}).size(), all.size() - 1) << name;
  }
  EXPECT_EQ(Features("minmax", all).size(), all.size());
  EXPECT_EQ(Features("intsam", all, all), Names{});  // taking away has the last word
}

TEST(Method, SoftmaxHasTheLastWord) {
  const std::pair<const char*, SoftmaxPolicy> policies[] = {{"auto", SoftmaxPolicy::kAuto},
                                                            {"exact", SoftmaxPolicy::kExact},
                                                            {"uniform", SoftmaxPolicy::kUniform},
                                                            {"agq", SoftmaxPolicy::kAgq}};
  for (const auto& [name, policy] : policies) {
    EXPECT_EQ(MakeMethod("ptq4sam", {}, {"agq"}, name).value().softmax, policy);
    EXPECT_EQ(MakeMethod("minmax", {"agq"}, {}, name).value().softmax, policy);
  }
  EXPECT_EQ(MakeMethod("intsam", {}, {"agq"}, "").value().softmax, SoftmaxPolicy::kUniform);
}

TEST(Method, ErrorsNameThePart) {
  const auto says = [](const Result<QuantizeMethod>& method, const std::string& words) {
    ASSERT_FALSE(method.ok()) << words;
    EXPECT_EQ(method.status().code(), Code::kUsage);
    EXPECT_NE(method.status().message().find(words), std::string::npos) << method.status().message();
  };
  says(MakeMethod("", {}, {}, ""), "--method: ''");
  says(MakeMethod("best", {}, {}, ""), "--method: 'best'");
  says(MakeMethod("min\nmax", {}, {}, ""), "--method: 'min?max'");
  says(MakeMethod("intsam", {"agq", "bigger"}, {}, ""), "--enable: 'bigger'");
  says(MakeMethod("intsam", {}, {"agq", ""}, ""), "--ablate: ''");
  says(MakeMethod("intsam", {}, {"Big"}, ""), FeatureNames());
  says(MakeMethod("intsam", {}, {}, "u8"), "--softmax: 'u8'");
}

}  // namespace
}  // namespace intsam::internal
