// Sections of intsam-inspect about a quantization.
#include "apps/inspect/quantization_report.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "apps/common/coding.h"
#include "apps/inspect/model_report.h"
#include "runtime/encoder/layers.h"

namespace intsam::internal {
namespace {

constexpr size_t kMaxBins = 256;
constexpr size_t kMaxWord = 32;  // of a choice that the provenance names

// The objects of a list of the provenance by what they are about; nothing for a list that is not one.
std::map<std::string, const Json*> Measured(const Json& provenance, const char* list, const char* key) {
  std::map<std::string, const Json*> rows;
  if (!provenance.is_object() || !provenance.contains(list) || !provenance[list].is_array()) return rows;
  for (const Json& row : provenance[list]) {
    if (row.is_object() && row.contains(key) && row[key].is_string()) rows[row[key].get<std::string>()] = &row;
  }
  return rows;
}

bool IsScalar(const Json& value) {
  return value.is_number() || value.is_boolean() ||
         (value.is_string() && value.get_ref<const std::string&>().size() <= kMaxWord);
}

// Adds what was measured of one site, under the names that the table has.
void AddMeasured(const std::map<std::string, const Json*>& measured, const std::string& site,
                 std::initializer_list<std::pair<const char*, const char*>> names, Json& row) {
  const auto found = measured.find(site);
  if (found == measured.end()) return;
  for (const auto& [from, to] : names) {
    if (found->second->contains(from) && IsScalar((*found->second)[from])) row[to] = (*found->second)[from];
  }
}

// Null unless every value is as it should be.
Json HistogramOf(const Json& histograms, const char* when) {
  if (!histograms.is_object() || !histograms.contains(when) || !histograms[when].is_object()) return nullptr;
  const Json& h = histograms[when];
  for (const char* key : {"lo", "hi"}) {
    if (!h.contains(key) || !h[key].is_number() || !std::isfinite(h[key].get<double>())) return nullptr;
  }
  if (h["lo"].get<double>() >= h["hi"].get<double>()) return nullptr;
  if (!h.contains("counts") || !h["counts"].is_array() || h["counts"].empty() || h["counts"].size() > kMaxBins)
    return nullptr;
  for (const Json& count : h["counts"]) {
    if (!count.is_number_unsigned() || count.get<uint64_t>() > UINT32_MAX) return nullptr;
  }
  return {{"lo", h["lo"]}, {"hi", h["hi"]}, {"counts", h["counts"]}};
}

}  // namespace

Json LayersReport(const Model& model, const std::string& site) {
  const CodingRecords records = CodingOf(model);
  const Json provenance = ProvenanceReport(model);
  const auto measured = Measured(provenance, "layers", "layer");
  Json rows = Json::array();
  for (const auto& [name, record] : records.layers) {
    if (!IsUnder(name, site)) continue;
    Json row = {{"layer", name}, {"weight_bits", record.bits}};
    AddMeasured(measured, name,
                {{"input_bits", "input_bits"},
                 {"migration", "migration"},
                 {"shifted", "shifted"},
                 {"output_error", "output_error"},
                 {"loss", "loss"}},
                row);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json AttentionsReport(const Model& model, const std::string& site) {
  const CodingRecords records = CodingOf(model);
  const Json provenance = ProvenanceReport(model);
  const auto measured = Measured(provenance, "attentions", "site");
  Json rows = Json::array();
  for (const auto& [name, record] : records.attentions) {
    if (!IsUnder(name, site)) continue;
    Json row = {{"attention", name}, {"softmax", VariantName(record.variant)}};
    row["bits"] = record.variant == Softmax::kE16 ? 16 : record.bits;
    row["tau"] = record.variant == Softmax::kAgq ? Json(1 << record.tau_shift) : Json("-");
    AddMeasured(measured, name,
                {{"error_uniform", "error_uniform"},
                 {"error_agq", "error_agq"},
                 {"error_qk", "error_qk"},
                 {"key_peaks", "peaks"},
                 {"key_peaks_after", "peaks_after"},
                 {"big_folded_channels", "folded"},
                 {"key_centre", "key_centre"},
                 {"value_centre", "value_centre"},
                 {"qk_scaled", "qk_scaled"},
                 {"values_scaled", "values_scaled"}},
                row);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json StepsReport(const Model& model, const std::string& site) {
  const Json provenance = ProvenanceReport(model);
  const auto measured = Measured(provenance, "steps", "step");
  Json rows = Json::array();
  for (const EncoderLayer& layer : EncoderLayers(model.config())) {
    if (!IsUnder(layer.step.name, site) || !measured.contains(layer.step.name)) continue;
    Json row = {{"step", layer.step.name}};
    AddMeasured(measured, layer.step.name,
                {{"weight_bits", "weight_bits"},
                 {"activation_bits", "activation_bits"},
                 {"milliseconds", "milliseconds"},
                 {"loss", "loss"}},
                row);
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Json> KeyHistograms(const Model& model, const std::string& site) {
  const Json provenance = ProvenanceReport(model);
  const auto measured = Measured(provenance, "attentions", "site");
  Json all = Json::object(), found = Json::object();
  if (provenance.is_object() && provenance.contains("key_histograms")) all = provenance["key_histograms"];
  if (!all.is_object()) all = Json::object();
  std::vector<std::string> sites;
  for (const auto& [name, histograms] : all.items()) {
    if (IsUnder(name, site)) sites.push_back(name);
  }
  if (sites.size() > 1) {
    return Status(Code::kUsage, "--histogram: '" + site + "' holds several attentions: " + sites[0] + ", " + sites[1] +
                                    (sites.size() > 2 ? ", ..." : ""));
  }
  if (!sites.empty()) {
    for (const auto& [when, peaks] : {std::pair{"before", "key_peaks"}, std::pair{"after", "key_peaks_after"}}) {
      Json histogram = HistogramOf(all[sites[0]], when);
      if (histogram.is_null()) continue;
      found[when] = {{"site", sites[0]}};
      AddMeasured(measured, sites[0], {{peaks, "peaks"}}, found[when]);
      found[when].update(histogram);
    }
  }
  if (found.empty())
    return Error(Code::kUsage, "--histogram: no distribution of keys of '%s' in the provenance", site.c_str());
  return found;
}

}  // namespace intsam::internal
