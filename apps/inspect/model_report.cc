// Sections of intsam-inspect about one model.
#include "apps/inspect/model_report.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <set>

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

}  // namespace

bool IsUnder(const std::string& path, const std::string& site) {
  return site.empty() || path == site || path.compare(0, site.size() + 1, site + ".") == 0;
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

Json HeaderReport(const Model& model) {
  const isam::Header header = HeaderOf(model);
  Json json = {{"version", header.version}, {"file_bytes", header.file_size}, {"tensors", header.tensors}};
  json["identity"] = ToHex(model.identity);
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
  Json json;
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
  return {{"image_encoder_residual", Real(m.image_encoder.residual_unit)},
          {"token", Real(m.mask_decoder.token_unit)},
          {"key", Real(m.mask_decoder.key_unit)},
          {"logit", Real(m.mask_decoder.logit_unit)}};
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
    const uint64_t arena = FusedArenaBytes(model.config(), count);
    json.push_back({{"threads", count}, {"arena_bytes", arena}, {"model_bytes", model.bytes.size()}});
  }
  return json;
}

}  // namespace intsam::internal
