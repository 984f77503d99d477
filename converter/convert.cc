#include "converter/convert.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <utility>

#include "converter/pack/isam_writer.h"
#include "converter/provenance.h"
#include "converter/quantize/bit_budget.h"
#include "converter/quantize/calibrated_plan.h"
#include "converter/quantize/choose_reparametrization.h"
#include "converter/quantize/magnitudes.h"
#include "converter/quantize/time_budget.h"

namespace intsam::internal {
namespace {

constexpr size_t kObservedImages = 8;  // for choosing reparametrizations

class Stopwatch {
 public:
  int64_t Lap() {
    const auto now = std::chrono::steady_clock::now();
    const int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now - start_).count();
    start_ = now;
    return ns;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

bool Reparametrizes(const QuantizeMethod& m) {
  return m.big || m.key_centring || m.value_centring || m.channel_scaling || m.migration;
}

// The float model, reparametrized, and what calibration saw of it.
struct Observed {
  Observations seen;
  QuantizeReport report;
  int64_t calibrate_ns = 0;
};

Result<Observed> Observe(FloatModel& model, const std::vector<CalibrationImage>& images, const ConvertOptions& options,
                         bool imported) {
  if (images.empty()) return Error(Code::kUsage, "calibration: no photos");
  INTSAM_TRY(CheckWeights(model));
  Observed observed;
  Stopwatch watch;
  if (!imported && Reparametrizes(options.method)) {
    FloatSam sam(model, options.threads, WeightLayout::kAsStored);
    const std::span<const CalibrationImage> some(images.data(), std::min(images.size(), kObservedImages));
    const Observations seen =
        Calibrate(sam, model.config, some, options.calibration, {}, Stage(options.progress, "observing"));
    INTSAM_TRY(CheckObserved(seen.statistics));
    ReportKeys(model.config, seen, false, observed.report);
    Reparametrize(model, seen, options.bits, options.method, options.threads, options.progress, observed.report);
  }
  INTSAM_TRY(CheckWeights(model));
  {
    FloatSam sam(model, options.threads, WeightLayout::kAsStored);
    observed.seen = Calibrate(sam, model.config, images, options.calibration,
                              imported ? std::vector<LayerSite>() : GramLayers(model.config, options.method),
                              Stage(options.progress, "calibrating"));
  }
  INTSAM_TRY(CheckObserved(observed.seen.statistics));
  observed.calibrate_ns = watch.Lap();
  ReportKeys(model.config, observed.seen, true, observed.report);
  return observed;
}

Result<uint64_t> SizeOf(IntegerModel& model, const std::string& provenance) {
  uint64_t bytes = 0;
  INTSAM_TRY(WriteModel(model, provenance, [&](const void*, size_t size) { return bytes += size, Status(); }));
  return bytes;
}

// Packs the model, and again with other widths, until what is not weights is known well enough for the widths to be
// those that use the bytes best.
Status FitToSize(FloatModel& model, const std::vector<CalibrationImage>& images, ConvertOptions options,
                 Observed& observed, ConvertedModel& converted) {
  constexpr uint64_t kSlack = 1024;  // numbers in the provenance have more or fewer digits
  constexpr int kRounds = 3;
  const std::vector<LayerCost> costs = MeasureLayers(model, observed.seen, images, options.bits, options.method,
                                                     options.threads, Stage(options.progress, "measuring layers"));
  observed.seen.keep_grams = true;
  for (const LayerCost& cost : costs) observed.report.layers[cost.layer.name].loss = cost.loss;
  const uint64_t most = options.most_bytes;
  uint64_t others = 0;  // bytes that are not these layers' weights
  std::map<std::string, int, std::less<>> chosen;
  QuantizationPlan plan;
  for (int round = 0;; ++round) {
    auto bits = ChooseWeightBits(costs, most - std::min(most, others));
    if (round > 0 && bits == chosen) return Status();
    chosen = std::move(bits);
    for (const LayerCost& cost : costs) {
      BitWidths widths = options.bits.Of(cost.layer);
      widths.weights = chosen.at(cost.layer.name);
      options.bits.below[cost.layer.name] = widths;
    }
    plan.weights.clear();
    converted.report = observed.report;
    INTSAM_TRY(CompletePlan(model, observed.seen, options.bits, options.method, options.threads, options.progress, plan,
                            converted.report));
    observed.report.attentions = converted.report.attentions;  // how softmax is coded is chosen in the first round alone
    INTSAM_ASSIGN(converted.quantized, QuantizeModel(model, observed.seen.statistics, plan));
    converted.provenance = Provenance(model, images, options, false, converted.report);
    INTSAM_ASSIGN(const uint64_t size, SizeOf(converted.quantized->model, converted.provenance));
    uint64_t weights = 0, least = 0;
    for (const LayerCost& cost : costs) {
      weights += WeightBytes(cost.layer, options.bits.Of(cost.layer).weights);
      least += WeightBytes(cost.layer, kLeastWeightBits);
    }
    if (size > most && weights == least) {
      return Error(Code::kUsage, "--max-mib: the smallest file of this model has %.2f MiB",
                   static_cast<double>(size) / (1 << 20));
    }
    // Positions take fewer bytes beside layers of few bits, so the choice could turn in a circle: then the most counts.
    const uint64_t rest = size - weights + kSlack;
    if (round >= kRounds && size <= most) return Status();
    others = round < kRounds ? rest : std::max(others, rest);
  }
}

// Packs the model with widths that should take as long, and again with a nearer aim until it takes no longer.
Status FitToTime(FloatModel& model, const std::vector<CalibrationImage>& images, ConvertOptions options,
                 Observed& observed, ConvertedModel& converted) {
  constexpr int kRounds = 4;
  INTSAM_ASSIGN(const std::vector<StepChoices> steps,
                MeasureChoices(model, observed.seen, images, options.bits, options.method, options.tier,
                               options.threads, options.progress));
  observed.seen.keep_grams = true;
  const BitProfile bits = options.bits;
  const std::vector<size_t> fastest = ChooseWidths(steps, 0);
  double aim = options.most_seconds, takes = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<size_t> chosen = ChooseWidths(steps, aim);
    options.bits = WithChosen(bits, steps, chosen);
    QuantizationPlan plan;
    converted.report = observed.report;
    INTSAM_TRY(CompletePlan(model, observed.seen, options.bits, options.method, options.threads, options.progress, plan,
                            converted.report));
    INTSAM_ASSIGN(converted.quantized, QuantizeModel(model, observed.seen.statistics, plan));
    INTSAM_ASSIGN(const std::vector<StepTime> times, MeasureSteps(converted.quantized->model, options.tier));
    takes = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
      takes += times[i].seconds;
      const StepChoice& choice = steps[i].choices[chosen[i]];
      if (steps[i].choices.size() > 1)
        converted.report.steps[steps[i].step] = {choice.widths, 1000 * times[i].seconds, choice.loss};
    }
    converted.provenance = Provenance(model, images, options, false, converted.report);
    if (takes <= options.most_seconds) return Status();
    if (chosen == fastest) {
      return Error(Code::kUsage, "--max-ms: the fastest widths of this model take %.1f ms", 1000 * takes);
    }
    aim *= options.most_seconds / takes;
  }
  return Error(Code::kUsage, "--max-ms: took %.1f ms with widths that should fit; other work may disturb it",
               1000 * takes);
}

}  // namespace

Result<PlannedModel> PlanConversion(FloatModel& model, const std::vector<CalibrationImage>& images,
                                    const ConvertOptions& options, QuantizationPlan plan) {
  INTSAM_TRY(CheckScales(plan));
  INTSAM_ASSIGN(Observed observed, Observe(model, images, options, !plan.weights.empty()));
  INTSAM_TRY(CompletePlan(model, observed.seen, options.bits, options.method, options.threads, options.progress, plan,
                          observed.report));
  return PlannedModel{std::move(plan), std::move(observed.seen.statistics), std::move(observed.report),
                      observed.calibrate_ns};
}

Result<ConvertedModel> Convert(FloatModel& model, const std::vector<CalibrationImage>& images,
                               const ConvertOptions& options, QuantizationPlan plan) {
  const bool imported = !plan.weights.empty();
  ConvertedModel converted;
  Stopwatch watch;
  if (options.most_bytes != 0 || options.most_seconds != 0) {
    INTSAM_ASSIGN(Observed observed, Observe(model, images, options, imported));
    converted.calibrate_ns = observed.calibrate_ns;
    INTSAM_TRY((options.most_bytes != 0 ? FitToSize : FitToTime)(model, images, options, observed, converted));
  } else {
    INTSAM_ASSIGN(PlannedModel planned, PlanConversion(model, images, options, std::move(plan)));
    converted.calibrate_ns = planned.calibrate_ns;
    if (options.progress) options.progress("packing", 0, 0, "");
    INTSAM_ASSIGN(converted.quantized, QuantizeModel(model, planned.statistics, planned.plan));
    converted.report = std::move(planned.report);
    converted.provenance = Provenance(model, images, options, imported, converted.report);
  }
  converted.quantize_ns = watch.Lap() - converted.calibrate_ns;
  return converted;
}

}  // namespace intsam::internal
