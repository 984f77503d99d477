#include "converter/quantize/reparametrize.h"

#include <vector>

namespace intsam::internal {
namespace {

std::vector<float>& Tensor(FloatModel& model, const std::string& name) { return model.tensors.at(name); }

std::vector<float> Inverse(std::span<const float> factors) {
  std::vector<float> inverse;
  for (const float f : factors) inverse.push_back(1 / f);
  return inverse;
}

void AddToBias(FloatModel& model, const std::string& layer, size_t first, std::span<const float> change, float sign) {
  std::vector<float>& bias = Tensor(model, layer + ".bias");
  for (size_t i = 0; i < change.size(); ++i) bias[first + i] += sign * change[i];
}

}  // namespace

void ScaleRows(FloatModel& model, const std::string& layer, size_t first, std::span<const float> factors) {
  std::vector<float>&weight = Tensor(model, layer + ".weight"), &bias = Tensor(model, layer + ".bias");
  const size_t in = weight.size() / bias.size();
  for (size_t i = 0; i < factors.size(); ++i) {
    for (size_t k = 0; k < in; ++k) weight[(first + i) * in + k] *= factors[i];
    bias[first + i] *= factors[i];
  }
}

void ScaleColumns(FloatModel& model, const std::string& layer, size_t taps, std::span<const float> factors) {
  std::vector<float>& weight = Tensor(model, layer + ".weight");
  for (size_t i = 0; i < weight.size(); ++i) weight[i] *= factors[i / taps % factors.size()];
}

void ShiftInput(FloatModel& model, const std::string& layer, std::span<const float> change) {
  const std::vector<float>& weight = Tensor(model, layer + ".weight");
  std::vector<float>& bias = Tensor(model, layer + ".bias");
  for (size_t n = 0; n < bias.size(); ++n) {
    double sum = bias[n];
    for (size_t k = 0; k < change.size(); ++k) sum += double{weight[n * change.size() + k]} * change[k];
    bias[n] = static_cast<float>(sum);
  }
}

void CentreKeys(FloatModel& model, const AttentionSite& site, std::span<const float> centre) {
  AddToBias(model, site.projections[1].layer, site.projections[1].first_row, centre, -1);
}

void CentreValues(FloatModel& model, const AttentionSite& site, std::span<const float> centre) {
  AddToBias(model, site.projections[2].layer, site.projections[2].first_row, centre, -1);
  ShiftInput(model, site.output, centre);
}

void ScaleQueries(FloatModel& model, const AttentionSite& site, std::span<const float> factors) {
  ScaleRows(model, site.projections[0].layer, site.projections[0].first_row, factors);
  ScaleRows(model, site.projections[1].layer, site.projections[1].first_row, Inverse(factors));
  if (!site.has_relative_positions()) return;
  for (const char* axis : {".rel_pos_h", ".rel_pos_w"}) {
    std::vector<float>& table = Tensor(model, site.name + axis);
    for (size_t i = 0; i < table.size(); ++i) table[i] /= factors[i % site.head_dim];
  }
}

void ScaleValues(FloatModel& model, const AttentionSite& site, std::span<const float> factors) {
  ScaleRows(model, site.projections[2].layer, site.projections[2].first_row, Inverse(factors));
  ScaleColumns(model, site.output, 1, factors);
}

void MigrateNorm(FloatModel& model, const LayerSite& layer, std::span<const float> factors,
                 std::span<const float> shift) {
  std::vector<float>&gamma = Tensor(model, layer.input_norm + ".weight"),
  &beta = Tensor(model, layer.input_norm + ".bias");
  if (!shift.empty()) ShiftInput(model, layer.name, shift);
  for (size_t c = 0; c < gamma.size(); ++c) {
    if (!shift.empty()) beta[c] -= shift[c];
    gamma[c] /= factors[c];
    beta[c] /= factors[c];
  }
  ScaleColumns(model, layer.name, layer.taps, factors);
}

}  // namespace intsam::internal
