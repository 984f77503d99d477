#include "apps/common/coding.h"

#include <vector>

#include "converter/quantize/profile.h"
#include "runtime/format/isam.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

// Of provenance that is shown as what it says. Keys in the order of the file take the square of their number.
constexpr int kProvenanceDepth = 16;
constexpr size_t kProvenanceKeys = 1024;  // of one object

class CodingVisitor : public isam::PathVisitor<CodingVisitor> {
 public:
  using PathVisitor::Group;
  void Group(const char* name, Linear& record) { records.layers.emplace_back(PathOf(name), record); }
  void Group(const char* name, Softmax& record) {
    const std::string path = PathOf(name);
    records.attentions.emplace_back(path.substr(0, path.rfind('.')), record);
  }
  template <class T>
  void Field(const char*, T&, int64_t = 0, int64_t = 0) {}
  template <class T>
  void Tensor(const char*, T&, std::initializer_list<uint32_t>, int64_t = 0, int64_t = 0) {}

  CodingRecords records;
};

}  // namespace

CodingRecords CodingOf(const Model& model) {
  IntegerModel copy = model.weights();  // a visitor may write, so it wants a model of its own
  CodingVisitor visitor;
  copy.Visit(visitor);
  return std::move(visitor.records);
}

const char* VariantName(uint32_t variant) {
  switch (variant) {
    case Softmax::kU8: return "uniform";
    case Softmax::kAgq: return "agq";
    default: return "exact";
  }
}

Json ProvenanceReport(const Model& model) {
  const std::string_view text = model.opened.provenance;
  bool large = false;
  std::vector<size_t> keys;  // of the objects that are open
  const auto watch = [&](int depth, Json::parse_event_t event, Json&) {
    if (event == Json::parse_event_t::object_start) keys.push_back(0);
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    large = large || depth > kProvenanceDepth || (event == Json::parse_event_t::key && ++keys.back() > kProvenanceKeys);
    return !large;  // what follows is not kept
  };
  const Json json = Json::parse(text, watch, false);
  return large || json.is_discarded() ? Json(text) : json;
}

std::string ProfileName(const Model& model) {
  const Json provenance = ProvenanceReport(model);
  if (!provenance.is_object() || !provenance.contains("bits") || !provenance["bits"].is_string()) return "unknown";
  std::string name = provenance["bits"].get<std::string>();
  return name == "imported" || ParseBitProfile(name).ok() ? name : "unknown";
}

}  // namespace intsam::internal
