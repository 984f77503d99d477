// Sections of intsam-inspect about one model.
#include "apps/inspect/model_report.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <set>
#include <utility>
#include <vector>

#include "apps/common/coding.h"
#include "runtime/base/cpu.h"
#include "runtime/base/sha256.h"
#include "runtime/exec/fused/fused_executor.h"
#include "runtime/format/isam.h"
#include "runtime/format/proof.h"

namespace intsam::internal {
namespace {

const char* TypeName(isam::ElementType type) {
  switch (type) {
    case isam::ElementType::kS8: return "s8";
    case isam::ElementType::kU8: return "u8";
    case isam::ElementType::kS16: return "s16";
    case isam::ElementType::kS32: return "s32";
    case isam::ElementType::kS64: return "s64";
  }
  return "?";
}

// Lists the fields and tensors that it visits.
class Printer : public isam::PathVisitor<Printer> {
 public:
  Printer(const uint8_t* file, const std::string& site) : file_(file), site_(site) {}

  template <class T>
  void Field(const char* name, const T& value, int64_t lo, int64_t hi) {
    const std::string path = PathOf(name);
    if (IsUnder(path, site_)) fields.push_back({{"path", path}, {"value", int64_t{value}}, {"min", lo}, {"max", hi}});
  }
  void Field(const char* name, const uint64_t& value) {
    const std::string path = PathOf(name);
    if (IsUnder(path, site_)) fields.push_back({{"path", path}, {"value", value}});
  }
  template <class T>
  void Tensor(const char* name, const View<T>& view, std::initializer_list<uint32_t> dims, int64_t = 0, int64_t = 0) {
    const std::string path = PathOf(name);
    if (!IsUnder(path, site_)) return;
    tensors.push_back({{"name", path},
                       {"type", TypeName(isam::TypeOf<T>())},
                       {"shape", std::vector<uint32_t>(dims)},
                       {"offset", reinterpret_cast<const uint8_t*>(view.data()) - file_},
                       {"bytes", view.size_bytes()}});
  }

  Json fields = Json::array(), tensors = Json::array();

 private:
  const uint8_t* file_;
  const std::string& site_;
};

Printer Visited(const Model& model, const std::string& site) {
  IntegerModel copy = model.weights();  // a visitor may write, so it wants a model of its own; the tensors are views
  Printer printer(model.bytes.data(), site);
  printer.Group("config", copy.config);
  copy.Visit(printer);
  return printer;
}

isam::Header HeaderOf(const Model& model) {
  isam::Header header;
  std::memcpy(&header, model.bytes.data(), sizeof header);
  return header;
}

Sha256Digest DigestOf(const uint8_t* bytes) {
  Sha256Digest digest;
  std::copy(bytes, bytes + digest.size(), digest.begin());
  return digest;
}

double Real(const Unit& unit) { return std::ldexp(static_cast<double>(unit.mantissa), -unit.shift); }

// "SAM ViT-B", or its shape where it is no size that has a name.
std::string SizeName(const SamConfig& config) {
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"vit_b", "SAM ViT-B"},       {"vit_l", "SAM ViT-L"},
      {"vit_h", "SAM ViT-H"},       {"mobile_sam", "MobileSAM"},
      {"tiny", "SAM tiny (ViT)"},   {"tiny_mobile", "SAM tiny (TinyViT)"},
      {"micro", "SAM micro (ViT)"}, {"micro_mobile", "SAM micro (TinyViT)"}};
  for (const auto& [preset, name] : kNames) {
    const Result<SamConfig> named = PresetConfig(preset);
    if (named.ok() && named.value() == config) return name;
  }
  if (config.family == kNoEncoder) return "SAM's decoder alone, for saved embeddings";
  if (config.family == kTinyVit) return "SAM with a TinyViT of its own size";
  return "SAM with a ViT of " + std::to_string(config.vit.depth) + " blocks, " + std::to_string(config.vit.embed_dim) +
         " wide";
}

// Where the model says that it comes from: the text of a stranger, believed only as far as it makes sense.
std::string Origin(const Json& provenance) {
  const auto at = [&](const char* key) { return provenance.is_object() ? provenance.value(key, Json()) : Json(); };
  constexpr size_t kLongest = 255;
  std::string text;
  if (const Json source = at("source"); source.is_string() && source.get_ref<const std::string&>().size() <= kLongest) {
    text += ", from " + source.get<std::string>();
  } else if (provenance.is_object() && provenance.contains("source_sha256") && at("source_sha256").is_null()) {
    text += ", random weights";
  }
  if (const Json photos = at("calibration_images"); photos.is_number_unsigned()) {
    const uint64_t count = photos.get<uint64_t>();
    text += ", calibrated on " + std::to_string(count) + (count == 1 ? " photo" : " photos");
  }
  return text;
}

std::string MiB(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

}  // namespace

bool IsUnder(const std::string& path, const std::string& site) {
  return site.empty() || ("." + path + ".").find("." + site + ".") != std::string::npos;
}

std::string SimilarSites(const Model& model, const std::string& site) {
  constexpr size_t kMost = 5;
  std::vector<std::string> similar;
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
  };
  const auto look = [&](const std::string& path) {
    const size_t found = lower(path).find(lower(site));
    if (found == std::string::npos) return;
    const std::string whole = path.substr(0, path.find('.', found + site.size()));
    if (std::find(similar.begin(), similar.end(), whole) == similar.end()) similar.push_back(whole);
  };
  for (const Json& field : FieldsReport(model, "")) look(field["path"].get<std::string>());
  for (const Json& tensor : TensorsReport(model, "")) look(tensor["name"].get<std::string>());
  std::string text;
  for (size_t i = 0; i < std::min(similar.size(), kMost); ++i) text += (i == 0 ? "" : ", ") + similar[i];
  return text + (similar.size() > kMost ? ", ..." : "");
}

Json FieldsReport(const Model& model, const std::string& site) { return Visited(model, site).fields; }

Json TensorsReport(const Model& model, const std::string& site) { return Visited(model, site).tensors; }

Json ProofReport(const Model& model, const std::string& site) {
  IntegerModel copy = model.weights();
  std::vector<LayerBound> bounds;
  static_cast<void>(ProveModel(copy, &bounds));  // it has held once, when the model was opened
  Json layers = Json::array();
  for (const LayerBound& layer : bounds) {
    if (!IsUnder(layer.site, site)) continue;
    // A layer of zeros has no bound to compare with; 31 bits are all that an accumulator has.
    const double ratio = static_cast<double>(kAccumulatorMax) / static_cast<double>(std::max<int64_t>(layer.bound, 1));
    layers.push_back({{"layer", layer.site},
                      {"channel", layer.channel},
                      {"accumulator_max", layer.bound},
                      {"headroom_bits", std::floor(100 * std::log2(ratio)) / 100}});
  }
  return layers;
}

Result<std::string> ModelSentence(const Model& model, int threads) {
  SessionOptions options;
  options.threads = threads;
  INTSAM_ASSIGN(const auto session, Session::Create(model, std::move(options)));
  const std::string side = std::to_string(model.config().image_size);
  const int workers = session->threads();
  return SizeName(model.config()) + ", " + side + " x " + side + ", " + ProfileName(model) + ", file of " +
         MiB(model.bytes.size()) + ", needs " + MiB(session->memory()) + " for " + std::to_string(workers) +
         (workers == 1 ? " thread" : " threads") + " and the photo" + Origin(ProvenanceReport(model)) + ", tier here " +
         session->kernels().name;
}

Json HeaderReport(const Model& model) {
  const isam::Header header = HeaderOf(model);
  return {{"version", header.version},
          {"file_bytes", header.file_size},
          {"tensors", header.tensors},
          {"identity", ToHex(model.identity)}};
}

Json HashesReport(const Model& model) {
  const isam::Header header = HeaderOf(model);
  Json json = Json::object();
  for (int i = 0; i < isam::kSections; ++i) {
    const isam::Section& section = header.sections[i];
    const std::string name = isam::kSectionNames[i];
    json[name + "_offset"] = section.offset;
    json[name + "_bytes"] = section.size;
    json[name + "_sha256"] = ToHex(DigestOf(section.sha256));
  }
  return json;
}

Json ConfigReport(const Model& model) {
  Json json = Json::object();
  const std::string prefix = "config";
  for (const Json& field : FieldsReport(model, prefix)) {
    json[field["path"].get<std::string>().substr(prefix.size() + 1)] = field["value"];
  }
  return json;
}

Json PartsReport(const Model& model) {
  Json json = Json::array();
  for (const char* part : {"image_encoder", "prompt_encoder", "mask_decoder"}) {
    uint64_t bytes = 0;
    const Json tensors = TensorsReport(model, part);
    for (const Json& tensor : tensors) bytes += tensor["bytes"].get<uint64_t>();
    json.push_back({{"part", part}, {"tensors", tensors.size()}, {"bytes", bytes}});
  }
  return json;
}

Json UnitsReport(const Model& model) {
  const IntegerModel& m = model.weights();
  Json units = Json::object();
  if (model.has_encoder()) units["image_encoder_residual"] = Real(m.image_encoder.residual_unit);
  units["token"] = Real(m.mask_decoder.token_unit);
  units["key"] = Real(m.mask_decoder.key_unit);
  units["logit"] = Real(m.mask_decoder.logit_unit);
  return units;
}

Json ProvenanceSummary(const Model& model) {
  Json provenance = ProvenanceReport(model);
  if (!provenance.is_object()) return provenance;
  for (const char* list : {"attentions", "layers", "key_histograms"}) provenance.erase(list);
  return provenance;
}

Json MemoryReport(const Model& model, int threads) {
  const int available = std::min<int>(AvailableThreads(), limits::kThreads);
  std::set<int> counts = {1, 2, 4, 8, available};
  if (threads != 0) counts = {threads};
  Json json = Json::array();
  for (const int count : counts) {
    const uint64_t arena = FusedArenaBytes(model.weights(), count);
    json.push_back({{"threads", count}, {"arena_bytes", arena}, {"model_bytes", model.bytes.size()}});
  }
  return json;
}

}  // namespace intsam::internal
