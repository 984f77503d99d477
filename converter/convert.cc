#include "converter/convert.h"

#include <algorithm>
#include <chrono>
#include <span>

#include "converter/provenance.h"
#include "converter/quantize/calibrated_plan.h"
#include "converter/quantize/choose_reparametrization.h"
#include "converter/quantize/magnitudes.h"

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

}  // namespace

Result<ConvertedModel> Convert(FloatModel& model, const std::vector<CalibrationImage>& images,
                               const ConvertOptions& options, QuantizationPlan plan) {
  if (images.empty()) return Error(Code::kUsage, "calibration: no photos");
  INTSAM_TRY(CheckWeights(model));
  INTSAM_TRY(CheckScales(plan));
  const bool imported = !plan.weights.empty();
  ConvertedModel converted;
  Stopwatch watch;
  if (!imported && Reparametrizes(options.method)) {
    FloatSam sam(model, options.threads, WeightLayout::kAsStored);
    const std::span<const CalibrationImage> some(images.data(), std::min(images.size(), kObservedImages));
    const Observations seen =
        Calibrate(sam, model.config, some, options.calibration, {}, Stage(options.progress, "observing"));
    INTSAM_TRY(CheckObserved(seen.statistics));
    ReportKeys(model.config, seen, false, converted.report);
    Reparametrize(model, seen, options.bits, options.method, options.threads, options.progress, converted.report);
  }
  INTSAM_TRY(CheckWeights(model));
  Observations seen;
  {
    FloatSam sam(model, options.threads, WeightLayout::kAsStored);
    seen = Calibrate(sam, model.config, images, options.calibration,
                     imported ? std::vector<LayerSite>() : GramLayers(model.config, options.bits, options.method),
                     Stage(options.progress, "calibrating"));
  }
  INTSAM_TRY(CheckObserved(seen.statistics));
  converted.calibrate_ns = watch.Lap();
  ReportKeys(model.config, seen, true, converted.report);
  INTSAM_TRY(CompletePlan(model, seen, options.bits, options.method, options.threads, options.progress, plan,
                          converted.report));
  if (options.progress) options.progress("packing", 0, 0, "");
  INTSAM_ASSIGN(converted.quantized, QuantizeModel(model, seen.statistics, plan));
  converted.provenance = Provenance(model, images, options, imported, converted.report);
  converted.quantize_ns = watch.Lap();
  return converted;
}

}  // namespace intsam::internal
