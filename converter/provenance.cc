#include "converter/provenance.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "intsam/intsam.h"
#include "runtime/base/sha256.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

// Order matters: the digest names this calibration set in this order.
std::string CalibrationDigest(const std::vector<CalibrationImage>& images) {
  Sha256 hash;
  for (const CalibrationImage& image : images) {
    hash.Update(&image.size, sizeof image.size);
    hash.Update(image.rgb.data(), image.rgb.size());
  }
  return ToHex(hash.Finish());
}

// Four significant digits: enough for people, and short.
double Short(double x) {
  if (x == 0 || !std::isfinite(x)) return 0;
  // Divided, not multiplied, by a power of ten that is exact: the nearest double to the digits, which prints as them.
  const int digits = 3 - static_cast<int>(std::floor(std::log10(std::fabs(x))));
  return digits >= 0 ? std::round(x * std::pow(10, digits)) / std::pow(10, digits)
                     : std::round(x / std::pow(10, -digits)) * std::pow(10, -digits);
}

const char* KindName(SoftmaxCoding::Kind kind) {
  switch (kind) {
    case SoftmaxCoding::kExact: return "exact";
    case SoftmaxCoding::kUniform: return "uniform";
    case SoftmaxCoding::kAgq: return "agq";
  }
  return "?";
}

Json HistogramJson(const Histogram& h) { return {{"lo", Short(h.lo)}, {"hi", Short(h.hi)}, {"counts", h.counts}}; }

Json AttentionJson(const std::string& name, const AttentionReport& r) {
  Json json = {{"site", name}};
  const SoftmaxCoding& c = r.softmax.coding;
  json["softmax"] = KindName(c.kind);
  if (c.kind != SoftmaxCoding::kExact) json["softmax_bits"] = c.bits, json["softmax_scale"] = Short(c.scale);
  if (c.kind == SoftmaxCoding::kAgq) json["tau"] = c.tau;
  json["error_uniform"] = Short(r.softmax.uniform_error);
  json["error_agq"] = Short(r.softmax.agq_error);
  json["error_qk"] = Short(r.score_error);
  json["key_peaks"] = r.key_peaks;
  json["key_peaks_after"] = r.key_peaks_after;
  json["big_folded_channels"] = r.flipped_channels;
  json["key_centre"] = r.key_centre;
  json["value_centre"] = r.value_centre;
  json["qk_scaled"] = r.queries_scaled;
  json["values_scaled"] = r.values_scaled;
  return json;
}

Json LayerJson(const std::string& name, const LayerReport& r) {
  Json json = {{"layer", name},
               {"weight_bits", r.widths.weights},
               {"input_bits", r.widths.activations},
               {"migration", r.migration},
               {"shifted", r.shifted}};
  if (r.output_error) json["output_error"] = Short(*r.output_error);
  if (r.loss != 0) json["loss"] = Short(r.loss);
  return json;
}

Json StepJson(const std::string& name, const StepReport& r) {
  return {{"step", name},
          {"weight_bits", r.widths.weights},
          {"activation_bits", r.widths.activations},
          {"milliseconds", Short(r.milliseconds)},
          {"loss", Short(r.loss)}};
}

}  // namespace

std::string Provenance(const FloatModel& model, const std::vector<CalibrationImage>& images,
                       const ConvertOptions& options, bool imported, const QuantizeReport& report) {
  Json json = Json::object();
  json["converter"] = std::string("intsam-convert ") + intsam_version();
  json["source"] = options.source_name.empty() ? Json(nullptr) : Json(options.source_name);
  json["source_sha256"] = model.source_sha256.empty() ? Json(nullptr) : Json(model.source_sha256);
  json["bits"] = imported ? "imported" : options.bits.name;
  if (options.most_bytes != 0) json["most_bytes"] = options.most_bytes;
  if (options.most_seconds != 0) json["most_milliseconds"] = 1000 * options.most_seconds, json["tier"] = options.tier;
  json["method"] = imported ? "import" : options.method.name;
  json["features"] = imported ? std::vector<std::string>() : EnabledFeatures(options.method);
  json["calibration_images"] = images.size();
  json["calibration_sha256"] = CalibrationDigest(images);
  Json attentions = Json::array(), layers = Json::array(), keys = Json::object(), steps = Json::array();
  for (const auto& [name, r] : report.attentions) {
    attentions.push_back(AttentionJson(name, r));
    keys[name] = {{"before", HistogramJson(r.keys_before)}, {"after", HistogramJson(r.keys_after)}};
  }
  for (const auto& [name, r] : report.layers) layers.push_back(LayerJson(name, r));
  for (const auto& [name, r] : report.steps) steps.push_back(StepJson(name, r));
  if (!steps.empty()) json["steps"] = std::move(steps);
  json["attentions"] = std::move(attentions);
  json["layers"] = std::move(layers);
  json["key_histograms"] = std::move(keys);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // the name may be any bytes
}

}  // namespace intsam::internal
