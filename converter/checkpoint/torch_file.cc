// A .pth file: the zip directory names the storages, the pickle names the tensors and says which elements of which
// storage they are. Every tensor is bounded by its storage and every storage by its zip member.
#include <cinttypes>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "converter/checkpoint/foreign_formats.h"
#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/pickle.h"
#include "converter/checkpoint/tensor_view.h"
#include "converter/checkpoint/zip_directory.h"
#include "runtime/base/checked.h"

namespace intsam::internal {
namespace {

using Id = PickleDocument::Id;

class TorchArchive {
 public:
  explicit TorchArchive(ByteSpan file) : file_(file) {}

  Status Open() {
    Result<std::vector<ZipMember>> directory = ReadZipDirectory(file_);
    if (!directory.ok()) return RefuseForeignZip(ZipMemberNames(file_), directory.status());
    std::vector<ZipMember>& members = *directory;
    constexpr std::string_view kPickle = "/data.pkl";
    for (ZipMember& member : members) {
      const size_t slash = member.name.find('/');
      if (slash != std::string::npos && std::string_view(member.name).substr(slash) == kPickle) {
        if (!folder_.empty()) return Error(Code::kDamaged, "zip: two members named data.pkl");
        folder_ = member.name.substr(0, slash + 1);
      }
      std::string name = member.name;
      members_.emplace(std::move(name), std::move(member));
    }
    if (folder_.empty() || Find("constants.pkl") != nullptr) {
      return RefuseForeignZip(ZipMemberNames(file_),
                              Error(Code::kUnsupported, "zip: no member named data.pkl: not a file of torch.save"));
    }
    if (Find("version") == nullptr) return Error(Code::kDamaged, "zip: no member named version");
    if (const ZipMember* order = Find("byteorder"); order != nullptr && TextOf(Bytes(*order)) != "little") {
      return Error(Code::kUnsupported, "byteorder is %s, expected 'little'", Quote(TextOf(Bytes(*order))).c_str());
    }
    return Status();
  }

  // The member `name` in the archive's folder, or null.
  const ZipMember* Find(const std::string& name) const {
    const auto found = members_.find(folder_ + name);
    return found == members_.end() ? nullptr : &found->second;
  }

  ByteSpan Bytes(const ZipMember& member) const { return file_.subspan(member.offset, member.size); }

  Result<TensorView> View(const PickleDocument& document, std::string name, Id tensor) const {
    const std::vector<Id> items = document.Items(tensor);
    const std::vector<Id> storage = document.Items(items[0]);
    TensorView view;
    view.info.name = std::move(name);
    view.info.dtype = document.StorageType(storage[1]);
    for (const Id stride : document.Items(items[3]))
      view.strides.push_back(static_cast<uint64_t>(document.Integer(stride)));
    std::vector<uint64_t> shape;
    for (const Id size : document.Items(items[2])) shape.push_back(static_cast<uint64_t>(document.Integer(size)));
    INTSAM_TRY(SetShape(std::move(shape), &view.info));
    INTSAM_TRY(Bound(document, storage, static_cast<uint64_t>(document.Integer(items[1])), &view));
    return view;
  }

 private:
  // Checks that the storage is a whole member and that every element of the view lies in it; sets view->offset.
  Status Bound(const PickleDocument& document, const std::vector<Id>& storage, uint64_t first, TensorView* view) const {
    const char* name = view->info.name.c_str();
    const std::string key = Quote(document.Text(storage[2]));
    const ZipMember* member = Find("data/" + std::string(document.Text(storage[2])));
    if (member == nullptr) return Error(Code::kDamaged, "tensor %s: storage %s is not in the file", name, key.c_str());
    const auto count = static_cast<uint64_t>(document.Integer(storage[4]));
    const uint64_t width = WidthOf(view->info.dtype);
    uint64_t bytes = 0;
    if (!CheckedMul(count, width, &bytes) || bytes != member->size) {
      return Error(Code::kDamaged, "tensor %s: storage %s has %" PRIu64 " elements of %s but %" PRIu64 " bytes", name,
                   key.c_str(), count, NameOf(view->info.dtype), member->size);
    }
    uint64_t last = first;  // index of the last element that the view reaches
    bool fits = true;
    for (size_t i = 0; i < view->strides.size() && view->info.elements > 0; ++i) {
      uint64_t reach = 0;
      fits = fits && CheckedMul(view->info.shape[i] - 1, view->strides[i], &reach) && CheckedAdd(last, reach, &last);
    }
    if (!fits || first > count || (view->info.elements > 0 && last >= count)) {
      return Error(Code::kDamaged,
                   "tensor %s: shape %s at offset %" PRIu64 " reaches past the %" PRIu64 " elements of storage %s",
                   name, ShapeText(view->info.shape).c_str(), first, count, key.c_str());
    }
    if (view->info.elements > count) {
      return Error(Code::kUnsupported, "tensor %s: expanded view of %" PRIu64 " elements over a storage of %" PRIu64,
                   name, view->info.elements, count);
    }
    view->offset = member->offset + first * width;  // at most the end of the member
    return Status();
  }

  ByteSpan file_;
  std::string folder_;  // with the slash
  std::unordered_map<std::string, ZipMember> members_;
};

Status RefuseObject(const PickleDocument& document, Id id, const std::string& where) {
  const auto [module, type] = document.ForeignName(id);
  const std::string what =
      module.empty() && type.empty() ? "a set or bytes" : Quote(std::string(module) + " " + std::string(type));
  return Error(Code::kUnsupported,
               "%s: %s is not plain tensor data (a whole module or foreign objects?): re-save the file with "
               "torch.save(model.state_dict(), path)",
               where.c_str(), what.c_str());
}

// Number of tensors directly in a dict.
size_t CountTensors(const PickleDocument& document, Id dict) {
  size_t count = 0;
  for (const Id item : document.Items(dict)) count += document.kind(item) == PickleKind::kTensor;
  return count;
}

// The dict of tensors: the pickled value itself, or the one of its entries that holds tensors. What a training run
// keeps beside its model holds tensors only further down (an optimizer), or a few of them (a metric, a mean).
Result<Id> FindStateDict(const PickleDocument& document) {
  const Id root = document.root();
  if (document.kind(root) == PickleKind::kForeign) return RefuseObject(document, root, "the file");
  if (document.kind(root) != PickleKind::kDict) {
    return Error(Code::kUnsupported,
                 "the file holds %s, expected a dict of tensors: re-save it with torch.save(model.state_dict(), path)",
                 NameOf(document.kind(root)));
  }
  struct Candidate {
    Id dict;
    size_t tensors;
    std::string name;
  };
  Candidate best = {root, CountTensors(document, root), "the whole file"}, second = {root, 0, ""};
  Id object = root;               // a value that could have been the model
  std::unordered_set<Id> looked;  // a dict may be the value of any number of entries
  const std::vector<Id> items = document.Items(root);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (document.kind(items[i]) != PickleKind::kString) continue;
    if (document.kind(items[i + 1]) == PickleKind::kForeign) object = items[i + 1];
    if (document.kind(items[i + 1]) != PickleKind::kDict || !looked.insert(items[i + 1]).second) continue;
    Candidate found = {items[i + 1], CountTensors(document, items[i + 1]), Quote(document.Text(items[i]))};
    if (found.tensors > best.tensors) std::swap(found, best);
    if (found.tensors > second.tensors) second = std::move(found);
  }
  if (best.tensors == 0 && object != root) return RefuseObject(document, object, "no dict of tensors");
  // Weights and their running mean are equally many.
  if (2 * second.tensors >= best.tensors && second.tensors > 0) {
    return Error(Code::kUnsupported,
                 "two sets of weights, %s and %s: save the one that you mean with torch.save(weights, path)",
                 best.name.c_str(), second.name.c_str());
  }
  return best.dict;
}

}  // namespace

Result<std::vector<TensorView>> ReadTorchZip(ByteSpan file) {
  TorchArchive archive(file);
  INTSAM_TRY(archive.Open());
  const ZipMember* pickle = archive.Find("data.pkl");
  INTSAM_ASSIGN(const PickleDocument document, InterpretPickle(archive.Bytes(*pickle)));
  INTSAM_ASSIGN(const Id dict, FindStateDict(document));
  const std::vector<Id> items = document.Items(dict);
  if (const size_t count = CountTensors(document, dict); count > CheckpointLimits::kTensors) {
    return Error(Code::kResource, "%zu tensors, above the limit of %" PRIu64, count, CheckpointLimits::kTensors);
  }
  std::vector<TensorView> views;
  std::unordered_set<std::string_view> names;
  uint64_t bytes = 0;  // each view is at most 2^28 elements of 8 bytes and there are at most 2^12: no overflow
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    // Numbers, options and the like beside the tensors are no weights; an object could have been one.
    const PickleKind kind = document.kind(items[i + 1]);
    if (kind != PickleKind::kTensor && kind != PickleKind::kForeign) continue;
    if (document.kind(items[i]) != PickleKind::kString) {
      return Error(Code::kUnsupported, "a key of the dict of tensors is %s, expected a name",
                   NameOf(document.kind(items[i])));
    }
    const std::string_view name = document.Text(items[i]);
    INTSAM_TRY(CheckTensorName(name));
    if (!names.insert(name).second) return Error(Code::kDamaged, "tensor %s: duplicate name", Quote(name).c_str());
    if (kind == PickleKind::kForeign) return RefuseObject(document, items[i + 1], "entry " + Quote(name));
    INTSAM_ASSIGN(TensorView view, archive.View(document, std::string(name), items[i + 1]));
    bytes += view.info.elements * WidthOf(view.info.dtype);
    views.push_back(std::move(view));
  }
  // Tensors may share bytes, but a small file whose tensors together claim terabytes is an attack on the reader's
  // memory.
  if (bytes / 4 > file.size()) {
    return Error(Code::kDamaged, "tensors claim %" PRIu64 " bytes in total, the file has %zu", bytes, file.size());
  }
  return views;
}

}  // namespace intsam::internal
