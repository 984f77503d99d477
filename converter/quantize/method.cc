#include "converter/quantize/method.h"

#include <utility>

namespace intsam::internal {
namespace {

using Feature = bool QuantizeMethod::*;
constexpr std::pair<const char*, Feature> kFeatures[] = {{"big", &QuantizeMethod::big},
                                                         {"key-centring", &QuantizeMethod::key_centring},
                                                         {"value-centring", &QuantizeMethod::value_centring},
                                                         {"channel-scaling", &QuantizeMethod::channel_scaling},
                                                         {"migration", &QuantizeMethod::migration},
                                                         {"weight-search", &QuantizeMethod::weight_search},
                                                         {"error-feedback", &QuantizeMethod::error_feedback},
                                                         {"token-projections", &QuantizeMethod::token_projections},
                                                         {"stream-values", &QuantizeMethod::stream_values},
                                                         {"bias-correction", &QuantizeMethod::bias_correction}};
constexpr std::pair<const char*, SoftmaxPolicy> kPolicies[] = {{"auto", SoftmaxPolicy::kAuto},
                                                               {"exact", SoftmaxPolicy::kExact},
                                                               {"uniform", SoftmaxPolicy::kUniform},
                                                               {"agq", SoftmaxPolicy::kAgq}};

std::string Printable(const std::string& text) {
  std::string shown = text.substr(0, 48);
  for (char& c : shown) c = c < 0x20 || c > 0x7e ? '?' : c;
  return shown;
}

// agq and mse-observer are features too, though not booleans.
Status Set(QuantizeMethod& method, const char* option, const std::string& name, bool on) {
  if (name == "agq") {
    method.softmax = on ? SoftmaxPolicy::kAgq : SoftmaxPolicy::kUniform;
    return Status();
  }
  if (name == "mse-observer") {
    method.observer = on ? Observer::kMse : Observer::kMinMax;
    return Status();
  }
  for (const auto& [feature, member] : kFeatures) {
    if (name != feature) continue;
    method.*member = on;
    return Status();
  }
  return Error(Code::kUsage, "--%s: '%s' is not one of %s", option, Printable(name).c_str(), FeatureNames().c_str());
}

}  // namespace

std::string FeatureNames() {
  std::string names = "agq, mse-observer";
  for (const auto& [name, member] : kFeatures) names += std::string(", ") + name;
  return names;
}

Result<QuantizeMethod> MakeMethod(const std::string& preset, const std::vector<std::string>& enable,
                                  const std::vector<std::string>& ablate, const std::string& softmax) {
  QuantizeMethod method;
  method.name = preset;
  if (preset == "minmax" || preset == "percentile" || preset == "ptq4sam") {
    for (const auto& [name, member] : kFeatures) method.*member = false;
    method.observer = preset == "minmax" ? Observer::kMinMax : Observer::kPercentile;
    method.softmax = SoftmaxPolicy::kUniform;
  } else if (preset != "intsam") {
    return Error(Code::kUsage, "--method: '%s' is not one of minmax, percentile, ptq4sam, intsam",
                 Printable(preset).c_str());
  }
  if (preset == "ptq4sam") {
    method.observer = Observer::kAverageMinMax;
    method.softmax = SoftmaxPolicy::kAgq;
    method.big = method.weight_search = true;
  }
  for (const std::string& name : enable) INTSAM_TRY(Set(method, "enable", name, true));
  for (const std::string& name : ablate) INTSAM_TRY(Set(method, "ablate", name, false));
  if (softmax.empty()) return method;
  for (const auto& [name, policy] : kPolicies) {
    if (softmax != name) continue;
    method.softmax = policy;
    return method;
  }
  return Error(Code::kUsage, "--softmax: '%s' is not one of auto, exact, uniform, agq", Printable(softmax).c_str());
}

std::vector<std::string> EnabledFeatures(const QuantizeMethod& method) {
  std::vector<std::string> names;
  if (method.softmax == SoftmaxPolicy::kAgq) names.emplace_back("agq");
  if (method.observer == Observer::kMse) names.emplace_back("mse-observer");
  for (const auto& [name, member] : kFeatures) {
    if (method.*member) names.emplace_back(name);
  }
  return names;
}

}  // namespace intsam::internal
