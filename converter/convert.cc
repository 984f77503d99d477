#include "converter/convert.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/pack/isam_writer.h"
#include "intsam/intsam.h"
#include "runtime/base/sha256.h"

namespace intsam {
namespace {

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

// Order matters: the digest names this calibration set in this order.
std::string CalibrationDigest(const std::vector<CalibrationImage>& images) {
  Sha256 hash;
  for (const CalibrationImage& image : images) {
    hash.Update(&image.size, sizeof image.size);
    hash.Update(image.rgb.data(), image.rgb.size());
  }
  return ToHex(hash.Finish());
}

std::string Provenance(const FloatModel& model, const std::vector<CalibrationImage>& images,
                       const ConvertOptions& options) {
  nlohmann::ordered_json json;
  json["converter"] = std::string("intsam-convert ") + intsam_version();
  json["source_sha256"] =
      model.source_sha256.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(model.source_sha256);
  json["bits"] = "w8a8";
  json["method"] = options.quantize.percentile < 1 ? "percentile" : "minmax";
  json["percentile"] = options.quantize.percentile;
  json["softmax"] = "e16";
  json["calibration_images"] = images.size();
  json["calibration_sha256"] = CalibrationDigest(images);
  return json.dump();
}

}  // namespace

Result<ConvertReport> ConvertModel(const FloatModel& model, const std::vector<CalibrationImage>& images,
                                   const ConvertOptions& options, const std::string& path) {
  if (images.empty()) return Error(Code::kUsage, "calibration: no photos");
  ConvertReport report;
  report.provenance = Provenance(model, images, options);
  Stopwatch watch;
  FloatSam sam(model, options.threads);
  const Statistics statistics = Calibrate(sam, model.config, images, options.calibration, options.progress);
  report.calibrate_ns = watch.Lap();
  INTSAM_ASSIGN(const auto quantized, QuantizeModel(model, statistics, options.quantize));
  report.quantize_ns = watch.Lap();
  INTSAM_TRY(WriteModelFile(quantized->model, report.provenance, path));
  report.write_ns = watch.Lap();
  std::error_code ignored;
  report.file_bytes = std::filesystem::file_size(path, ignored);
  return report;
}

}  // namespace intsam
