#include "converter/quantize/time_budget.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "converter/pack/isam_writer.h"
#include "converter/quantize/calibrated_plan.h"
#include "converter/quantize/quantize.h"
#include "converter/quantize/sensitivity.h"
#include "runtime/base/arena.h"
#include "runtime/encoder/layers.h"
#include "runtime/exec/session.h"

namespace intsam::internal {
namespace {

constexpr int kRuns = 3;

// Widths between which tiers differ: with fewer bits more products fit 16 bits (docs/numerics.md 3.3), and fewer bytes
// are read.
constexpr BitWidths kWidths[] = {{8, 8}, {8, 7}, {6, 8}, {7, 7}, {6, 7}, {6, 6}, {4, 8}, {4, 6}};

bool LiesBelow(const std::string& path, const std::string& step) { return path.starts_with(step + "."); }

// The widths of the layers below each step of the image encoder; none where no layer's bits can be chosen.
std::vector<std::pair<std::string, std::vector<BitWidths>>> WidthsOfSteps(const SamConfig& config,
                                                                          const BitProfile& bits) {
  std::vector<std::pair<std::string, std::vector<BitWidths>>> steps;
  const std::vector<LayerSite> layers = QuantizedLayers(config);
  for (const EncoderLayer& of : EncoderLayers(config)) {
    std::vector<BitWidths>& widths = steps.emplace_back(of.step.name, std::vector<BitWidths>()).second;
    const auto layer = std::find_if(layers.begin(), layers.end(), [&](const LayerSite& l) {
      return !l.bytes && LiesBelow(l.name, of.step.name);
    });
    if (layer == layers.end()) continue;
    const BitWidths most = bits.Of(*layer);
    for (const BitWidths& w : kWidths) {
      const BitWidths capped = {std::min(w.weights, most.weights), std::min(w.activations, most.activations)};
      if (std::find(widths.begin(), widths.end(), capped) == widths.end()) widths.push_back(capped);
    }
  }
  return steps;
}

}  // namespace

double SecondsOf(std::span<const StepChoices> steps, std::span<const size_t> chosen) {
  double sum = 0;
  for (size_t i = 0; i < steps.size(); ++i) sum += steps[i].choices[chosen[i]].seconds;
  return sum;
}

std::vector<size_t> ChooseWidths(std::span<const StepChoices> steps, double seconds) {
  std::vector<size_t> chosen(steps.size());
  while (SecondsOf(steps, chosen) > seconds) {
    size_t best = steps.size(), to = 0;
    double least = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
      const StepChoice& now = steps[i].choices[chosen[i]];
      for (size_t k = 0; k < steps[i].choices.size(); ++k) {
        const StepChoice& other = steps[i].choices[k];
        if (other.seconds >= now.seconds) continue;
        const double cost = (other.loss - now.loss) / (now.seconds - other.seconds);
        if (best == steps.size() || cost < least) best = i, to = k, least = cost;
      }
    }
    if (best == steps.size()) break;
    chosen[best] = to;
  }
  return chosen;
}

Result<std::vector<StepTime>> MeasureSteps(IntegerModel& model, const std::string& tier) {
  using Clock = std::chrono::steady_clock;
  INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ModelBytes(model, ""));
  const std::unique_ptr<uint8_t[]> block = Arena::Block(bytes.size() + Arena::kAlignment);
  uint8_t* file = Arena::Align(block.get());
  std::copy(bytes.begin(), bytes.end(), file);
  INTSAM_ASSIGN(const std::unique_ptr<Model> opened, Model::OpenMemory({file, bytes.size()}));
  SessionOptions options;
  options.threads = 1;
  options.isa = tier.c_str();
  INTSAM_ASSIGN(const std::unique_ptr<Session> session, Session::Create(*opened, std::move(options)));

  std::vector<StepTime> steps;
  std::vector<Clock::time_point> starts;
  session->set_hook([&](const Step& step, int index, int count) {
    if (steps.size() < static_cast<size_t>(count)) steps.push_back({step.name, HUGE_VAL});
    starts.resize(static_cast<size_t>(count) + 1);
    starts[static_cast<size_t>(index)] = Clock::now();
    return true;
  });
  const CalibrationImage image = SyntheticImage(opened->config(), 1);
  for (int run = 0; run < kRuns; ++run) {
    INTSAM_TRY(session->SetImage(image.rgb.data(), image.size, size_t{3} * image.size.width, PixelFormat::kRgb));
    if (!starts.empty()) starts.back() = Clock::now();
    for (size_t i = 0; i < steps.size(); ++i) {
      steps[i].seconds = std::min(steps[i].seconds, std::chrono::duration<double>(starts[i + 1] - starts[i]).count());
    }
  }
  return steps;
}

Result<std::vector<StepChoices>> MeasureChoices(FloatModel& model, Observations& seen,
                                                std::span<const CalibrationImage> images, const BitProfile& bits,
                                                const QuantizeMethod& method, const std::string& tier, int threads,
                                                const StageProgress& progress) {
  const auto steps = WidthsOfSteps(model.config, bits);
  // Neither times nor losses need weights that make up for each other, which would take minutes.
  auto grams = std::exchange(seen.grams, {});
  const auto plan_with = [&](const BitProfile& profile, QuantizationPlan& plan) {
    QuantizeReport report;
    return CompletePlan(model, seen, profile, method, threads, {}, plan, report);
  };

  std::vector<StepChoices> measured;
  size_t most = 1;
  for (const auto& [step, widths] : steps) {
    measured.push_back({step, {}});
    most = std::max(most, widths.size());
  }
  StepCounter timed(Stage(progress, "timing steps"), most);
  for (size_t k = 0; k < most; ++k) {
    BitProfile profile = bits;
    for (const auto& [step, widths] : steps) {
      if (!widths.empty()) profile.below[step] = widths[std::min(k, widths.size() - 1)];
    }
    QuantizationPlan plan;
    INTSAM_TRY(plan_with(profile, plan));
    INTSAM_ASSIGN(const std::unique_ptr<QuantizedModel> quantized, QuantizeModel(model, seen.statistics, plan));
    INTSAM_ASSIGN(const std::vector<StepTime> times, MeasureSteps(quantized->model, tier));
    if (times.size() != steps.size()) return Error(Code::kInternal, "the encoder has other steps than its layers");
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::vector<BitWidths>& widths = steps[i].second;
      if (k < std::max<size_t>(widths.size(), 1))
        measured[i].choices.push_back({widths.empty() ? BitWidths() : widths[k], times[i].seconds, 0});
    }
    timed.Done("");
  }

  BitProfile few = bits;
  for (const auto& [step, widths] : steps) few.below[step] = {kMeasuredBits, kMeasuredBits};
  QuantizationPlan plan;
  INTSAM_TRY(plan_with(few, plan));
  Sensitivity sensitivity = Sensitivity::ForRanking(model, images, threads);
  StepCounter lost(Stage(progress, "measuring steps"), steps.size());
  for (StepChoices& of : measured) {
    if (of.choices.size() > 1) {
      const auto loss_of = [&](bool weights) {
        return sensitivity
            .Measure(plan, [&](const std::string& part) {
              return LiesBelow(part, of.step) && part.ends_with(".weight") == weights;
            })
            .masks;
      };
      const double of_weights = loss_of(true), of_activations = loss_of(false);
      for (StepChoice& choice : of.choices) {
        choice.loss =
            LossWith(choice.widths.weights, of_weights) + LossWith(choice.widths.activations, of_activations);
      }
    }
    lost.Done(of.step);
  }
  seen.grams = std::move(grams);
  return measured;
}

BitProfile WithChosen(const BitProfile& bits, std::span<const StepChoices> steps, std::span<const size_t> chosen) {
  BitProfile profile = bits;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].choices.size() > 1) profile.below[steps[i].step] = steps[i].choices[chosen[i]].widths;
  }
  return profile;
}

}  // namespace intsam::internal
