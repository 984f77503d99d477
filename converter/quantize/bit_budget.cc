#include "converter/quantize/bit_budget.h"

#include <algorithm>
#include <utility>

#include "converter/quantize/calibrated_plan.h"
#include "converter/quantize/round_weights.h"
#include "converter/quantize/sensitivity.h"
#include "kernels/kernels.h"
#include "kernels/numerics/packed_weights.h"

namespace intsam::internal {

uint64_t WeightBytes(const LayerSite& layer, int bits) {
  const uint64_t rows = (uint64_t{layer.out} + kPanel - 1) / kPanel * kPanel;
  if (bits == 8) return rows * layer.in;
  return rows * layer.in / kGroup * GroupBytes(bits) + rows;  // and a zero point a channel
}

std::map<std::string, int, std::less<>> ChooseWeightBits(std::span<const LayerCost> layers, uint64_t bytes) {
  std::vector<int> bits;
  uint64_t total = 0;
  for (const LayerCost& layer : layers) {
    bits.push_back(layer.most_bits);
    total += WeightBytes(layer.layer, layer.most_bits);
  }
  while (total > bytes) {
    size_t best = layers.size();
    double least = 0;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (bits[i] <= kLeastWeightBits) continue;
      const auto saved =
          static_cast<double>(WeightBytes(layers[i].layer, bits[i]) - WeightBytes(layers[i].layer, bits[i] - 1));
      const double cost = (LossWith(bits[i] - 1, layers[i].loss) - LossWith(bits[i], layers[i].loss)) / saved;
      if (best == layers.size() || cost < least) best = i, least = cost;
    }
    if (best == layers.size()) break;
    total -= WeightBytes(layers[best].layer, bits[best]);
    total += WeightBytes(layers[best].layer, --bits[best]);
  }
  std::map<std::string, int, std::less<>> chosen;
  for (size_t i = 0; i < layers.size(); ++i) chosen.emplace(layers[i].layer.name, bits[i]);
  return chosen;
}

std::vector<LayerCost> MeasureLayers(FloatModel& model, const Observations& seen,
                                     std::span<const CalibrationImage> images, const BitProfile& bits,
                                     const QuantizeMethod& method, int threads, const StepProgress& progress) {
  std::vector<LayerCost> costs;
  for (const LayerSite& layer : RoundedLayers(model.config, method)) {
    if (!layer.bytes) costs.push_back({layer, std::max(kLeastWeightBits, bits.Of(layer).weights), 0});
  }
  Sensitivity sensitivity = Sensitivity::ForRanking(model, images, threads);
  StepCounter measured(progress, costs.size());
  for (LayerCost& cost : costs) {
    const LayerSite& layer = cost.layer;
    const auto grams = seen.grams.find(layer.name);
    constexpr double kAlike[] = {1};
    QuantizationPlan plan;
    plan.weights[layer.name] = RoundWeights(
        model.at(layer.name + ".weight"), layer.out, layer.in,
        {kMeasuredBits, method.weight_search, kAlike, grams == seen.grams.end() ? nullptr : &grams->second.front()});
    cost.loss = sensitivity.Measure(plan, [](const std::string&) { return true; }).masks;
    measured.Done(layer.name);
  }
  return costs;
}

}  // namespace intsam::internal
