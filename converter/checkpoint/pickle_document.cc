// Access to what the pickle machine built (see pickle.h).
#include <bit>

#include "converter/checkpoint/pickle.h"
#include "converter/checkpoint/pickle_names.h"

namespace intsam::internal {

const char* NameOf(PickleKind kind) {
  switch (kind) {
    case PickleKind::kNone: return "None";
    case PickleKind::kBool: return "a bool";
    case PickleKind::kInt: return "an integer";
    case PickleKind::kReal: return "a real number";
    case PickleKind::kString: return "a string";
    case PickleKind::kTuple: return "a tuple";
    case PickleKind::kList: return "a list";
    case PickleKind::kDict: return "a dict";
    case PickleKind::kForeign: return "an object";
    case PickleKind::kGlobal: return "a type or function";
    case PickleKind::kStorage: return "a storage";
    case PickleKind::kTensor: return "a tensor";
  }
  return "?";
}

double PickleDocument::Real(Id id) const { return std::bit_cast<double>(nodes_[id].payload); }
std::string_view PickleDocument::Text(Id id) const { return bytes_.substr(nodes_[id].payload, nodes_[id].count); }
std::pair<std::string_view, std::string_view> PickleDocument::ForeignName(Id id) const {
  const uint64_t names = nodes_[id].payload;
  if (names == 0) return {};
  return {Text(static_cast<Id>(names)), Text(static_cast<Id>(names >> 32))};
}
PickleGlobal PickleDocument::Global(Id id) const { return kKnownNames[nodes_[id].global].global; }
DType PickleDocument::StorageType(Id id) const { return kKnownNames[nodes_[id].global].dtype; }

uint32_t PickleDocument::Count(Id id) const {
  const bool record = kind(id) == PickleKind::kStorage || kind(id) == PickleKind::kTensor;
  return record ? Count(static_cast<Id>(nodes_[id].payload)) : nodes_[id].count;
}

std::vector<PickleDocument::Id> PickleDocument::Items(Id id) const {
  if (kind(id) == PickleKind::kStorage || kind(id) == PickleKind::kTensor)
    return Items(static_cast<Id>(nodes_[id].payload));
  std::vector<Id> items;
  items.reserve(nodes_[id].count);
  uint32_t cell = static_cast<uint32_t>(nodes_[id].payload);
  for (uint32_t i = 0; i < nodes_[id].count; ++i, cell = cells_[cell].next) items.push_back(cells_[cell].item);
  return items;
}

}  // namespace intsam::internal
