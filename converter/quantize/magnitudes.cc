#include "converter/quantize/magnitudes.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace intsam::internal {
namespace {

bool IsFair(double value) { return std::fabs(value) <= kLargestValue; }  // no NaN is

Status Refusal(const std::string& what, double value) {
  return Error(Code::kUnsupported, "%s %g, which cannot be quantized (the limit is %.0f)", what.c_str(), value,
               kLargestValue);
}

}  // namespace

Status CheckWeights(const FloatModel& model) {
  std::string first;  // by name: the order of the map differs between standard libraries
  double value = 0;
  for (const auto& [name, values] : model.tensors) {
    const auto found = std::find_if_not(values.begin(), values.end(), IsFair);
    if (found != values.end() && (first.empty() || name < first)) first = name, value = *found;
  }
  return first.empty() ? Status() : Refusal("tensor " + first + ": holds", value);
}

Status CheckScales(const QuantizationPlan& plan) {
  for (const auto& [layer, codes] : plan.weights) {
    const auto found = std::find_if_not(codes.scale.begin(), codes.scale.end(), IsFair);
    if (found != codes.scale.end()) return Refusal("tensor " + layer + ".weight_scale: holds", *found);
  }
  for (const auto& [site, codes] : plan.activations) {
    if (!IsFair(codes.scale)) return Refusal("tensor " + site + ".scale: holds", codes.scale);
  }
  return Status();
}

Status CheckObserved(const Statistics& statistics) {
  for (const auto& [site, seen] : statistics.sites()) {
    if (!seen.finite()) {
      return Error(Code::kUnsupported, "%s: calibration saw numbers that are not finite, which cannot be quantized",
                   site.c_str());
    }
    if (!IsFair(seen.max_abs())) return Refusal(site + ": calibration saw", seen.max_abs());
  }
  return Status();
}

}  // namespace intsam::internal
