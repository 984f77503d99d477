#include "converter/import/ptq4sam_metadata.h"

#include <charconv>
#include <cinttypes>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "converter/checkpoint/bytes.h"

namespace intsam::internal {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "intsam-ptq4sam-1";

Status Refuse(const char* key, const std::string& expected, const std::string& found) {
  return Error(Code::kDamaged, "metadata %s: expected %s, found %s", key, expected.c_str(), Quote(found).c_str());
}

Result<std::string> Text(const CheckpointMetadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return Error(Code::kDamaged, "metadata %s: missing", key);
  return found->second;
}

Result<uint32_t> Number(const CheckpointMetadata& metadata, const char* key) {
  INTSAM_ASSIGN(const std::string text, Text(metadata, key));
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return Refuse(key, "a whole number", text);
  return value;
}

// A flat list or object: no value of the contract is nested deeper.
Result<json> Flat(const CheckpointMetadata& metadata, const char* key, json::value_t type) {
  INTSAM_ASSIGN(const std::string text, Text(metadata, key));
  if (text.find('\0') != std::string::npos)  // the parser would take it for the end
    return Error(Code::kDamaged, "metadata %s: not valid JSON: a NUL", key);
  bool too_deep = false;
  std::string duplicate;
  std::set<std::string> names;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    const bool starts = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    too_deep = too_deep || (starts && depth > 0);
    if (event == json::parse_event_t::key && !names.insert(value.get<std::string>()).second)
      duplicate = value.get<std::string>();
    return !too_deep;
  };
  json value = json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep || value.type() != type)
    return Refuse(key, type == json::value_t::array ? "a flat JSON list" : "a flat JSON object", text);
  if (!duplicate.empty()) return Error(Code::kDamaged, "metadata %s: duplicate %s", key, Quote(duplicate).c_str());
  return value;
}

Result<std::string> ConfigJson(const CheckpointMetadata& metadata) {
  json config = json::object();
  for (const char* key : {"image_size", "embed_dim", "depth", "num_heads", "window_size"}) {
    INTSAM_ASSIGN(config[key], Number(metadata, key));
  }
  if (metadata.contains("decoder_num_heads")) {
    INTSAM_ASSIGN(config["decoder_num_heads"], Number(metadata, "decoder_num_heads"));
  }
  INTSAM_ASSIGN(config["global_attn_indexes"], Flat(metadata, "global_attn_indexes", json::value_t::array));
  return config.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
}

Result<std::set<std::string>> BigSites(const CheckpointMetadata& metadata) {
  INTSAM_ASSIGN(const json list, Flat(metadata, "big_sites", json::value_t::array));
  std::set<std::string> sites;
  for (const json& site : list) {
    if (!site.is_string() || !sites.insert(site.get<std::string>()).second)
      return Error(Code::kDamaged, "metadata big_sites: expected different names of attentions");
  }
  return sites;
}

Result<std::map<std::string, uint64_t>> SiteBits(const CheckpointMetadata& metadata) {
  INTSAM_ASSIGN(const json object, Flat(metadata, "site_bits", json::value_t::object));
  std::map<std::string, uint64_t> bits;
  for (const auto& [site, value] : object.items()) {
    if (!value.is_number_unsigned())
      return Error(Code::kDamaged, "metadata site_bits: %s: expected a number of bits", Quote(site).c_str());
    bits.emplace(site, value.get<uint64_t>());
  }
  return bits;
}

struct FieldList {
  std::vector<std::pair<const char*, uint64_t>> fields;
  void Field(const char* name, uint64_t value, uint64_t, uint64_t) { fields.emplace_back(name, value); }
  void Field(const char* name, uint64_t value) { fields.emplace_back(name, value); }
};

std::vector<std::pair<const char*, uint64_t>> FieldsOf(SamConfig config) {
  FieldList list;
  config.Visit(list);
  return std::move(list.fields);
}

}  // namespace

Result<Ptq4SamMetadata> ParsePtq4SamMetadata(const CheckpointMetadata& metadata) {
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat) {
    const std::string found = format == metadata.end() ? "none" : Quote(format->second);
    return Error(Code::kUnsupported, "metadata format: expected '%s', found %s (not written by export_ptq4sam.py?)",
                 kFormat, found.c_str());
  }
  Ptq4SamMetadata result;
  INTSAM_ASSIGN(result.config_json, ConfigJson(metadata));
  INTSAM_ASSIGN(const std::string quantized, Text(metadata, "encoder_quantised"));
  if (quantized != "true" && quantized != "false") return Refuse("encoder_quantised", "true or false", quantized);
  result.encoder_quantized = quantized == "true";
  INTSAM_ASSIGN(result.method, Text(metadata, "method"));
  if (result.method != "calibrated" && result.method != "reconstructed")
    return Refuse("method", "calibrated or reconstructed", result.method);
  INTSAM_ASSIGN(result.big_sites, BigSites(metadata));
  INTSAM_ASSIGN(result.site_bits, SiteBits(metadata));
  INTSAM_ASSIGN(result.soft_layers_hardened, Number(metadata, "soft_layers_hardened"));
  INTSAM_ASSIGN(result.drop_active_sites, Number(metadata, "drop_active_sites"));
  return result;
}

Status CheckOfficialVariant(const SamConfig& config) {
  for (const char* name : {"vit_b", "vit_l", "vit_h"}) {
    INTSAM_ASSIGN(const SamConfig official, PresetConfig(name));
    if (config.vit.embed_dim != official.vit.embed_dim) continue;
    const auto expected = FieldsOf(official), found = FieldsOf(config);
    for (size_t i = 0; i < expected.size(); ++i) {
      if (expected[i].second != found[i].second) {
        return Error(Code::kUnsupported,
                     "config: %s: expected %" PRIu64 " as in %s, whose embed_dim this is, found %" PRIu64,
                     expected[i].first, expected[i].second, name, found[i].second);
      }
    }
  }
  return Status();
}

}  // namespace intsam::internal
