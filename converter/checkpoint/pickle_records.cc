// The argument checks of the pickle machine (see pickle_records.h).
#include "converter/checkpoint/pickle_records.h"

namespace intsam::internal {
namespace {

using Id = PickleDocument::Id;

constexpr uint32_t kMaxRank = 64;  // far above any tensor's; SetShape states the real limit by name

// The items of a container of this kind and size; none if it is anything else.
std::vector<Id> ItemsOf(const PickleDocument& document, Id id, PickleKind kind, uint32_t count) {
  if (document.kind(id) != kind || document.Count(id) != count) return {};
  return document.Items(id);
}

bool IsCount(const PickleDocument& document, Id id) {
  return document.kind(id) == PickleKind::kInt && document.Integer(id) >= 0;
}

bool IsEmptyDict(const PickleDocument& document, Id id) {
  return document.kind(id) == PickleKind::kDict && document.Count(id) == 0;
}

bool IsTupleOfCounts(const PickleDocument& document, Id id) {
  if (document.kind(id) != PickleKind::kTuple || document.Count(id) > kMaxRank) return false;
  for (const Id item : document.Items(id)) {
    if (!IsCount(document, item)) return false;
  }
  return true;
}

}  // namespace

bool IsStorageArguments(const PickleDocument& document, Id id) {
  const std::vector<Id> items = ItemsOf(document, id, PickleKind::kTuple, 5);
  return !items.empty() && document.kind(items[0]) == PickleKind::kString && document.Text(items[0]) == "storage" &&
         document.kind(items[1]) == PickleKind::kGlobal && document.Global(items[1]) == PickleGlobal::kStorageType &&
         document.kind(items[2]) == PickleKind::kString && document.kind(items[3]) == PickleKind::kString &&
         IsCount(document, items[4]);
}

bool IsTensorArguments(const PickleDocument& document, Id id) {
  const std::vector<Id> items = ItemsOf(document, id, PickleKind::kTuple, 6);
  return !items.empty() && document.kind(items[0]) == PickleKind::kStorage && IsCount(document, items[1]) &&
         IsTupleOfCounts(document, items[2]) && IsTupleOfCounts(document, items[3]) &&
         document.Count(items[2]) == document.Count(items[3]) && document.kind(items[4]) == PickleKind::kBool &&
         IsEmptyDict(document, items[5]);
}

bool IsParameterArguments(const PickleDocument& document, Id id) {
  const std::vector<Id> items = ItemsOf(document, id, PickleKind::kTuple, 3);
  return !items.empty() && document.kind(items[0]) == PickleKind::kTensor &&
         document.kind(items[1]) == PickleKind::kBool && IsEmptyDict(document, items[2]);
}

bool IsStateDictAttributes(const PickleDocument& document, Id id) {
  const std::vector<Id> items = ItemsOf(document, id, PickleKind::kDict, 2);
  return !items.empty() && document.kind(items[0]) == PickleKind::kString && document.Text(items[0]) == "_metadata" &&
         document.kind(items[1]) == PickleKind::kDict;
}

}  // namespace intsam::internal
