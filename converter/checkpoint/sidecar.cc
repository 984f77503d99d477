#include "converter/checkpoint/sidecar.h"

#include <cinttypes>
#include <set>
#include <string_view>
#include <utility>

#include "converter/checkpoint/bytes.h"
#include "converter/checkpoint/limits.h"

namespace intsam::internal {
namespace {

using nlohmann::json;

Status Disagree(const char* field, const json& stated, uint64_t found) {
  return Error(Code::kUnsupported, "config: %s: the config says %s, the tensors say %" PRIu64, field,
               stated.dump().substr(0, 64).c_str(), found);
}

// Visits the fields that a sidecar states under their own name.
struct SidecarComparer {
  json fields;  // what is left to compare
  Status status;

  void Field(const char* name, uint64_t value, uint64_t, uint64_t) {
    const auto stated = fields.find(name);
    if (stated == fields.end()) return;
    if (status.ok() && *stated != value) status = Disagree(name, *stated, value);
    fields.erase(stated);
  }
  void Field(const char*, uint64_t) {}  // global_attn_mask is stated as a list of indexes
};

// Takes a field that is not one of SamConfig's but follows from it.
Status TakeConstant(const char* name, const json& value, json* fields) {
  const auto stated = fields->find(name);
  if (stated == fields->end()) return Status();
  if (*stated != value) {
    return Error(Code::kUnsupported, "config: %s: the config says %s, expected %s", name,
                 stated->dump().substr(0, 64).c_str(), value.dump().c_str());
  }
  fields->erase(stated);
  return Status();
}

Status CompareVit(const SamConfig& config, json* rest) {
  if (const auto ratio = rest->find("mlp_ratio"); ratio != rest->end()) {
    if (!ratio->is_number() || ratio->get<double>() * config.vit.embed_dim != config.vit.mlp_dim) {
      return Disagree("mlp_ratio", *ratio, config.vit.mlp_dim / config.vit.embed_dim);
    }
    rest->erase(ratio);
  }
  if (const auto indexes = rest->find("global_attn_indexes"); indexes != rest->end()) {
    uint64_t mask = 0;
    bool well_formed = indexes->is_array();
    for (size_t i = 0; well_formed && i < indexes->size(); ++i) {
      const json& index = (*indexes)[i];
      well_formed = index.is_number_unsigned() && index.get<uint64_t>() < config.vit.depth;
      if (well_formed) mask |= uint64_t{1} << index.get<uint64_t>();
    }
    // Windows as large as the grid are global attention by another name.
    if (!well_formed || (mask != config.vit.global_attn_mask && config.vit.window_size != config.grid())) {
      return Error(Code::kUnsupported,
                   "config: global_attn_indexes: the config says %s, the tensors say mask 0x%" PRIx64,
                   indexes->dump().substr(0, 64).c_str(), config.vit.global_attn_mask);
    }
    rest->erase(indexes);
  }
  return Status();
}

// A list under the names of its entries, as TinyVitConfig visits them: "depths" becomes "depths.0", "depths.1", ...
void SpreadLists(json* fields) {
  for (const char* name : {"embed_dims", "depths", "num_heads", "window_sizes"}) {
    const auto list = fields->find(name);
    if (list == fields->end() || !list->is_array()) continue;
    const json entries = std::move(*list);
    fields->erase(list);
    for (size_t i = 0; i < entries.size(); ++i) (*fields)[std::string(name) + "." + std::to_string(i)] = entries[i];
  }
}

}  // namespace

Result<Sidecar> Sidecar::Parse(const std::string& text) {
  Sidecar sidecar;
  if (text.empty()) return sidecar;
  if (text.size() > CheckpointLimits::kConfigBytes) {
    return Error(Code::kResource, "config: JSON of %zu bytes, above the limit of %" PRIu64, text.size(),
                 CheckpointLimits::kConfigBytes);
  }
  if (text.find('\0') != std::string::npos)  // the parser would take it for the end
    return Error(Code::kDamaged, "config: not valid JSON: a NUL");
  bool too_deep = false;
  std::string duplicate;
  std::set<std::string> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    too_deep = too_deep || depth > CheckpointLimits::kConfigDepth;
    if (event == json::parse_event_t::key && depth == 1 && !keys.insert(value.get<std::string>()).second)
      duplicate = value.get<std::string>();
    return !too_deep;
  };
  sidecar.fields_ = json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep) return Error(Code::kResource, "config: JSON is nested deeper than %d", CheckpointLimits::kConfigDepth);
  if (!sidecar.fields_.is_object()) return Error(Code::kDamaged, "config: not a JSON object");
  if (!duplicate.empty()) return Error(Code::kDamaged, "config: duplicate field %s", Quote(duplicate).c_str());
  return sidecar;
}

uint64_t Sidecar::Number(const char* name, uint64_t otherwise) const {
  const auto found = fields_.find(name);
  return found != fields_.end() && found->is_number_unsigned() ? found->get<uint64_t>() : otherwise;
}

uint64_t Sidecar::Number(const char* name, size_t index, uint64_t otherwise) const {
  const auto list = fields_.find(name);
  if (list == fields_.end() || !list->is_array() || index >= list->size()) return otherwise;
  const json& entry = (*list)[index];
  return entry.is_number_unsigned() ? entry.get<uint64_t>() : otherwise;
}

Status Sidecar::Compare(SamConfig config) const {
  SidecarComparer comparer{fields_, Status()};
  json& rest = comparer.fields;
  INTSAM_TRY(TakeConstant("image_encoder", config.family == kVit ? "vit" : "tiny_vit", &rest));
  if (config.family == kTinyVit) {
    INTSAM_TRY(TakeConstant("patch_size", config.cell(), &rest));
    INTSAM_TRY(TakeConstant("local_conv_size", 3, &rest));
    INTSAM_TRY(TakeConstant("mbconv_expand_ratio", config.tiny_vit.expand_ratio, &rest));
    SpreadLists(&rest);
  }
  config.Visit(comparer);
  INTSAM_TRY(comparer.status);
  if (config.family == kVit) INTSAM_TRY(CompareVit(config, &rest));
  if (!rest.empty()) return Error(Code::kUnsupported, "config: unknown field %s", Quote(rest.begin().key()).c_str());
  return Status();
}

}  // namespace intsam::internal
