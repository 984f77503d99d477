// The stack machine behind InterpretPickle. Each opcode checks what it pops before it builds anything; a failed check
// ends the interpretation with the offset and the name of the opcode.
#include "converter/checkpoint/pickle.h"

#include <cinttypes>
#include <iterator>
#include <string>
#include <utility>

#include "converter/checkpoint/limits.h"
#include "converter/checkpoint/pickle_names.h"
#include "converter/checkpoint/pickle_opcodes.h"
#include "converter/checkpoint/pickle_records.h"

namespace intsam::internal {
namespace {

constexpr uint32_t kNothing = UINT32_MAX;  // no cell, memo slot without value

}  // namespace

class PickleMachine {
 public:
  explicit PickleMachine(ByteSpan bytes) : bytes_(bytes) {
    document_.bytes_ = TextOf(bytes);
    none_ = Add(PickleKind::kNone, 0, 0);
    false_ = Add(PickleKind::kBool, 0, 0);
    true_ = Add(PickleKind::kBool, 0, 1);
    empty_tuple_ = Add(PickleKind::kTuple, 0, 0);
    nameless_ = Add(PickleKind::kForeign, 0, 0);
  }

  Result<PickleDocument> Run() {
    if (bytes_.size() > CheckpointLimits::kPickleBytes) {
      return Error(Code::kResource, "pickle: %zu bytes, above the limit of %" PRIu64, bytes_.size(),
                   CheckpointLimits::kPickleBytes);
    }
    if (bytes_.size() < 2 || bytes_[0] != opcode::kProto)
      return Error(Code::kDamaged, "pickle: does not start with PROTO");
    if (bytes_[1] < 2 || bytes_[1] > 5)
      return Error(Code::kUnsupported, "pickle: protocol %u, expected 2 to 5", bytes_[1]);
    at_ = 2;
    for (uint64_t count = 0; !stopped_; ++count) {
      if (at_ == bytes_.size()) return Error(Code::kDamaged, "pickle: ends without STOP");
      if (count == CheckpointLimits::kPickleOpcodes) {
        return Error(Code::kResource, "pickle: more opcodes than the limit of %" PRIu64,
                     CheckpointLimits::kPickleOpcodes);
      }
      const size_t start = at_;
      const uint8_t code = bytes_[at_++];
      if (Status status = Step(code); !status.ok()) {
        return status.WithPrefix("pickle: offset " + std::to_string(start) + ": " + opcode::NameOf(code));
      }
    }
    if (at_ != bytes_.size()) return Error(Code::kDamaged, "pickle: %zu bytes after STOP", bytes_.size() - at_);
    return std::move(document_);
  }

 private:
  using Id = PickleDocument::Id;

  Status Step(uint8_t code) {
    switch (code) {
      case opcode::kMark:
        if (marks_.size() >= CheckpointLimits::kPickleStack)
          return Error(Code::kResource, "more marks than the stack limit");
        marks_.push_back(static_cast<uint32_t>(stack_.size()));
        return Status();
      case opcode::kStop: return Stop();
      case opcode::kNone: return Push(none_);
      case opcode::kNewTrue: return Push(true_);
      case opcode::kNewFalse: return Push(false_);
      case opcode::kBinInt: return Integer(4, true);
      case opcode::kBinInt1: return Integer(1, false);
      case opcode::kBinInt2: return Integer(2, false);
      case opcode::kLong1: return Long1();
      case opcode::kBinFloat: return BinFloat();
      case opcode::kBinUnicode: return Text(4);
      case opcode::kShortBinUnicode: return Text(1);
      case opcode::kBinBytes: return Bytes(4);
      case opcode::kShortBinBytes: return Bytes(1);
      case opcode::kEmptyTuple: return Push(empty_tuple_);
      case opcode::kTuple1: return TupleOf(1);
      case opcode::kTuple2: return TupleOf(2);
      case opcode::kTuple3: return TupleOf(3);
      case opcode::kTuple: return TupleFromMark();
      case opcode::kEmptyList: return Push(Add(PickleKind::kList, 0, 0));
      case opcode::kEmptyDict: return Push(Add(PickleKind::kDict, 0, 0));
      case opcode::kAppend: return Extend(PickleKind::kList, 1);
      case opcode::kAppends: return ExtendFromMark(PickleKind::kList);
      case opcode::kEmptySet: return Push(nameless_);
      case opcode::kFrozenSet: return FrozenSet();
      case opcode::kAddItems: return ExtendFromMark(PickleKind::kForeign);
      case opcode::kSetItem: return Extend(PickleKind::kDict, 2);
      case opcode::kSetItems: return ExtendFromMark(PickleKind::kDict);
      case opcode::kBinPut: return Put(1);
      case opcode::kLongBinPut: return Put(4);
      case opcode::kBinGet: return Get(1);
      case opcode::kLongBinGet: return Get(4);
      case opcode::kMemoize: return Remember(memo_size_);
      case opcode::kFrame: return Frame();
      case opcode::kGlobal: return Global();
      case opcode::kStackGlobal: return StackGlobal();
      case opcode::kBinPersId: return PersistentId();
      case opcode::kReduce: return Reduce();
      case opcode::kNewObj: return NewObject();
      case opcode::kBuild: return Build();
      default:
        return Error(Code::kUnsupported, "opcode 0x%02x is not in the list of those that only build plain data", code);
    }
  }

  // --- the stream ---

  // Points *field at the next `count` bytes and moves on.
  Status Take(uint64_t count, const uint8_t** field) {
    if (count > bytes_.size() - at_) return Error(Code::kDamaged, "argument reaches past the end");
    *field = bytes_.data() + at_;
    at_ += count;
    return Status();
  }

  // A little-endian unsigned number of 1, 2 or 4 bytes.
  Status TakeNumber(int width, uint32_t* number) {
    const uint8_t* p = nullptr;
    INTSAM_TRY(Take(width, &p));
    *number = width == 1 ? *p : width == 2 ? LoadU16(p) : LoadU32(p);
    return Status();
  }

  Status TakeLine(std::string_view* line) {
    const std::string_view rest = document_.bytes_.substr(at_, CheckpointLimits::kPickleGlobalBytes + 1);
    const size_t size = rest.find('\n');
    if (size == std::string_view::npos) return Error(Code::kDamaged, "line without an end in %zu bytes", rest.size());
    *line = rest.substr(0, size);
    at_ += size + 1;
    return Status();
  }

  // --- the graph ---

  Id Add(PickleKind kind, uint32_t count, uint64_t payload) {
    const bool container = kind == PickleKind::kTuple || kind == PickleKind::kList || kind == PickleKind::kDict;
    document_.nodes_.push_back({kind, false, static_cast<uint8_t>(container ? 1 : 0), 0, count, payload});
    return static_cast<Id>(document_.nodes_.size() - 1);
  }

  // Appends to a container, which must not be in another one yet; that, and freezing the item, rules out cycles.
  Status Place(Id container, Id item) {
    PickleDocument::Node& node = document_.nodes_[container];
    PickleDocument::Node& child = document_.nodes_[item];
    if (item == container) return Error(Code::kDamaged, "a container is placed in itself");
    if (node.frozen) return Error(Code::kDamaged, "a container changes after it was placed in another");
    if (child.depth >= CheckpointLimits::kPickleDepth) {
      return Error(Code::kResource, "containers nested deeper than the limit of %" PRIu64,
                   CheckpointLimits::kPickleDepth);
    }
    child.frozen = true;
    if (child.depth + 1 > node.depth) node.depth = static_cast<uint8_t>(child.depth + 1);
    const auto cell = static_cast<uint32_t>(document_.cells_.size());
    document_.cells_.push_back({item, kNothing});
    if (node.count == 0) {
      node.payload = cell | uint64_t{cell} << 32;
    } else {
      document_.cells_[node.payload >> 32].next = cell;
      node.payload = static_cast<uint32_t>(node.payload) | uint64_t{cell} << 32;
    }
    ++node.count;
    return Status();
  }

  // A storage or tensor: its checked arguments under another kind.
  Id Record(PickleKind kind, Id tuple) {
    const Id id = Add(kind, 0, tuple);
    document_.nodes_[id].depth = document_.nodes_[tuple].depth;
    return id;
  }

  PickleKind KindOf(Id id) const { return document_.nodes_[id].kind; }

  // --- the stack: values above the last mark are all that an opcode may take ---

  Status Push(Id id) {
    if (stack_.size() >= CheckpointLimits::kPickleStack) {
      return Error(Code::kResource, "stack is above the limit of %" PRIu64, CheckpointLimits::kPickleStack);
    }
    stack_.push_back(id);
    return Status();
  }

  Status Need(size_t count) const {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) return Error(Code::kDamaged, "stack has fewer than %zu values", count);
    return Status();
  }

  Id Pop() {
    const Id id = stack_.back();
    stack_.pop_back();
    return id;
  }

  // --- opcodes ---

  Status Stop() {
    if (stack_.size() != 1 || !marks_.empty()) {
      return Error(Code::kDamaged, "%zu values and %zu marks are left, expected one value", stack_.size(),
                   marks_.size());
    }
    document_.root_ = stack_[0];
    stopped_ = true;
    return Status();
  }

  Status Integer(int width, bool is_signed) {
    uint32_t number = 0;
    INTSAM_TRY(TakeNumber(width, &number));
    const int64_t value = is_signed ? static_cast<int32_t>(number) : int64_t{number};
    return Push(Add(PickleKind::kInt, 0, static_cast<uint64_t>(value)));
  }

  Status Long1() {
    uint32_t size = 0;
    const uint8_t* p = nullptr;
    INTSAM_TRY(TakeNumber(1, &size));
    if (size > 8) return Error(Code::kUnsupported, "integer of %u bytes does not fit 64 bits", size);
    INTSAM_TRY(Take(size, &p));
    uint64_t value = size > 0 && p[size - 1] >= 0x80 ? UINT64_MAX : 0;  // sign extension
    for (uint32_t i = size; i-- > 0;) value = value << 8 | p[i];
    return Push(Add(PickleKind::kInt, 0, value));
  }

  Status BinFloat() {
    const uint8_t* p = nullptr;
    INTSAM_TRY(Take(8, &p));
    uint64_t bits = 0;  // big-endian, unlike everything else
    for (int i = 0; i < 8; ++i) bits = bits << 8 | p[i];
    return Push(Add(PickleKind::kReal, 0, bits));
  }

  // A length of `width` bytes, and as many bytes as it says.
  Status TakeSized(int width, const uint8_t** field, uint32_t* size) {
    INTSAM_TRY(TakeNumber(width, size));
    if (*size > CheckpointLimits::kPickleStringBytes) {
      return Error(Code::kResource, "string of %u bytes, above the limit of %" PRIu64, *size,
                   CheckpointLimits::kPickleStringBytes);
    }
    return Take(*size, field);
  }

  Status Text(int width) {
    uint32_t size = 0;
    const uint8_t* p = nullptr;
    INTSAM_TRY(TakeSized(width, &p, &size));
    return Push(AddText(TextOf(ByteSpan(p, size))));
  }

  Status Bytes(int width) {
    uint32_t size = 0;
    const uint8_t* p = nullptr;
    INTSAM_TRY(TakeSized(width, &p, &size));
    return Push(nameless_);
  }

  // The next stretch that a reader may load at once: nothing but its length is of interest, and only to be refused.
  Status Frame() {
    const uint8_t* p = nullptr;
    INTSAM_TRY(Take(8, &p));
    if (LoadU64(p) > bytes_.size() - at_) return Error(Code::kDamaged, "frame reaches past the end");
    return Status();
  }

  Status TupleOf(size_t count) {
    INTSAM_TRY(Need(count));
    const Id tuple = Add(PickleKind::kTuple, 0, 0);
    for (size_t i = stack_.size() - count; i < stack_.size(); ++i) INTSAM_TRY(Place(tuple, stack_[i]));
    stack_.resize(stack_.size() - count);
    return Push(tuple);
  }

  Status TupleFromMark() {
    if (marks_.empty()) return Error(Code::kDamaged, "no mark");
    const size_t count = stack_.size() - marks_.back();
    INTSAM_TRY(TupleOf(count));
    marks_.pop_back();
    return Status();
  }

  Status FrozenSet() {
    if (marks_.empty()) return Error(Code::kDamaged, "no mark");
    stack_.resize(marks_.back());
    marks_.pop_back();
    return Push(nameless_);
  }

  // Moves the top `count` values into the container below them; what is put into a foreign object is dropped.
  Status Extend(PickleKind kind, size_t count) {
    INTSAM_TRY(Need(count + 1));
    const size_t first = stack_.size() - count;
    const Id container = stack_[first - 1];
    if (KindOf(container) == PickleKind::kForeign) {
      stack_.resize(first);
      return Status();
    }
    if (KindOf(container) != kind)
      return Error(Code::kDamaged, "target is %s, expected %s", NameOf(KindOf(container)), NameOf(kind));
    if (kind == PickleKind::kDict) {
      if (count % 2 != 0) return Error(Code::kDamaged, "a key without a value");
      for (size_t i = first; i < stack_.size(); i += 2) {
        const PickleKind key = KindOf(stack_[i]);
        if (key == PickleKind::kList || key == PickleKind::kDict || key == PickleKind::kTensor)
          return Error(Code::kDamaged, "dict key is %s", NameOf(key));
      }
    }
    for (size_t i = first; i < stack_.size(); ++i) INTSAM_TRY(Place(container, stack_[i]));
    stack_.resize(first);
    return Status();
  }

  Status ExtendFromMark(PickleKind kind) {
    if (marks_.empty()) return Error(Code::kDamaged, "no mark");
    const size_t count = stack_.size() - marks_.back();
    marks_.pop_back();
    return Extend(kind, count);
  }

  Status Put(int width) {
    uint32_t slot = 0;
    INTSAM_TRY(TakeNumber(width, &slot));
    return Remember(slot);
  }

  Status Remember(uint32_t slot) {
    INTSAM_TRY(Need(1));
    // Pickler numbers its slots from 0 upwards; a slot beyond the bytes read so far is an attempt to make the memo
    // huge.
    if (slot >= CheckpointLimits::kPickleMemo || slot >= at_) {
      return Error(Code::kResource, "memo slot %u is above the limit (%" PRIu64 ", and the bytes so far)", slot,
                   CheckpointLimits::kPickleMemo);
    }
    if (slot >= memo_.size()) memo_.resize(slot + 1, kNothing);
    if (memo_[slot] != kNothing) return Error(Code::kDamaged, "memo slot %u is set twice", slot);
    memo_[slot] = stack_.back();
    ++memo_size_;
    return Status();
  }

  Status Get(int width) {
    uint32_t slot = 0;
    INTSAM_TRY(TakeNumber(width, &slot));
    if (slot >= memo_.size() || memo_[slot] == kNothing) return Error(Code::kDamaged, "memo slot %u is empty", slot);
    return Push(memo_[slot]);
  }

  Status Global() {
    std::string_view module, name;
    INTSAM_TRY(TakeLine(&module));
    INTSAM_TRY(TakeLine(&name));
    return PushNamed(AddText(module), AddText(name));
  }

  Status StackGlobal() {
    INTSAM_TRY(Need(2));
    const Id name = Pop(), module = Pop();
    if (KindOf(module) != PickleKind::kString || KindOf(name) != PickleKind::kString)
      return Error(Code::kDamaged, "names %s of %s", NameOf(KindOf(name)), NameOf(KindOf(module)));
    for (const Id part : {module, name}) {
      if (document_.Text(part).size() > CheckpointLimits::kPickleGlobalBytes)
        return Error(Code::kDamaged, "name of %zu bytes", document_.Text(part).size());
    }
    return PushNamed(module, name);
  }

  // `text` points into the pickle.
  Id AddText(std::string_view text) {
    return Add(PickleKind::kString, static_cast<uint32_t>(text.size()),
               static_cast<uint64_t>(text.data() - document_.bytes_.data()));
  }

  // One of the known names, or else a foreign object's class.
  Status PushNamed(Id module_id, Id name_id) {
    const std::string_view module = document_.Text(module_id), name = document_.Text(name_id);
    for (size_t i = 0; i < std::size(kKnownNames); ++i) {
      if (module == kKnownNames[i].module && name == kKnownNames[i].name) {
        const Id id = Add(PickleKind::kGlobal, 0, 0);
        document_.nodes_[id].global = static_cast<uint8_t>(i);
        return Push(id);
      }
    }
    return Push(Add(PickleKind::kForeign, 0, module_id | uint64_t{name_id} << 32));
  }

  Status PersistentId() {
    INTSAM_TRY(Need(1));
    const Id tuple = Pop();
    if (!IsStorageArguments(document_, tuple)) {
      return Error(Code::kDamaged, "persistent id is not (\"storage\", type, key, device, count)");
    }
    return Push(Record(PickleKind::kStorage, tuple));
  }

  Status Reduce() {
    INTSAM_TRY(Need(2));
    const Id arguments = Pop();
    const Id callee = Pop();
    if (KindOf(callee) == PickleKind::kForeign && KindOf(arguments) == PickleKind::kTuple) return Push(callee);
    if (KindOf(callee) != PickleKind::kGlobal || KindOf(arguments) != PickleKind::kTuple) {
      return Error(Code::kDamaged, "applies %s to %s", NameOf(KindOf(callee)), NameOf(KindOf(arguments)));
    }
    switch (document_.Global(callee)) {
      case PickleGlobal::kOrderedDict: {
        if (document_.Count(arguments) != 0) return Error(Code::kUnsupported, "OrderedDict with arguments");
        const Id dict = Add(PickleKind::kDict, 0, 0);
        document_.nodes_[dict].global = 1;
        return Push(dict);
      }
      case PickleGlobal::kRebuildTensor:
        if (!IsTensorArguments(document_, arguments)) {
          return Error(Code::kUnsupported,
                       "tensor is not (storage, offset, size, stride, flag, no hooks) with numbers from 0 on");
        }
        return Push(Record(PickleKind::kTensor, arguments));
      case PickleGlobal::kRebuildParameter:
        if (!IsParameterArguments(document_, arguments)) {
          return Error(Code::kUnsupported, "parameter is not (tensor, flag, no hooks)");
        }
        return Push(document_.Items(arguments)[0]);
      case PickleGlobal::kStorageType: return Error(Code::kUnsupported, "a storage type is applied to arguments");
    }
    return Error(Code::kInternal, "unlisted name");
  }

  // An object is its class: without contents there is nothing that would tell two apart.
  Status NewObject() {
    INTSAM_TRY(Need(2));
    const Id arguments = Pop();
    const Id type = Pop();
    if (KindOf(type) != PickleKind::kForeign || KindOf(arguments) != PickleKind::kTuple)
      return Error(Code::kDamaged, "makes %s from %s", NameOf(KindOf(type)), NameOf(KindOf(arguments)));
    return Push(type);
  }

  // The module versions that state_dict() attaches to its OrderedDict are dropped: nothing here needs them.
  Status Build() {
    INTSAM_TRY(Need(2));
    const Id state = Pop();
    const Id target = stack_.back();
    if (KindOf(target) == PickleKind::kForeign) return Status();
    if (KindOf(target) != PickleKind::kDict || document_.nodes_[target].global != 1) {
      return Error(Code::kUnsupported, "sets attributes of %s, expected an OrderedDict", NameOf(KindOf(target)));
    }
    if (!IsStateDictAttributes(document_, state)) {
      return Error(Code::kUnsupported, "attributes are not just _metadata");
    }
    return Status();
  }

  ByteSpan bytes_;
  size_t at_ = 0;
  bool stopped_ = false;
  std::vector<Id> stack_;
  std::vector<uint32_t> marks_;
  std::vector<Id> memo_;
  uint32_t memo_size_ = 0;  // slots that are set: the next one for MEMOIZE
  PickleDocument document_;
  Id none_, false_, true_, empty_tuple_, nameless_;
};

Result<PickleDocument> InterpretPickle(ByteSpan bytes) { return PickleMachine(bytes).Run(); }

}  // namespace intsam::internal
