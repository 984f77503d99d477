#include "apps/common/coding.h"

#include "converter/quantize/profile.h"
#include "runtime/format/isam.h"

namespace intsam::internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProvenanceDepth = 16;

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
  bool deep = false;
  const Json json = Json::parse(
      text,
      [&](int depth, Json::parse_event_t, Json&) {
        deep |= depth > kProvenanceDepth;
        return !deep;
      },
      false);
  return deep || json.is_discarded() ? Json(text) : json;
}

std::string ProfileName(const Model& model) {
  const Json provenance = ProvenanceReport(model);
  if (!provenance.is_object() || !provenance.contains("bits") || !provenance["bits"].is_string()) return "unknown";
  std::string name = provenance["bits"].get<std::string>();
  return name == "imported" || ParseBitProfile(name).ok() ? name : "unknown";
}

}  // namespace intsam::internal
