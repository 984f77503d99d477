// An inert interpreter for the pickles of torch.save. A pickle is a program for a stack machine; this machine knows
// only the opcodes that build plain values and refuses every other one. It has no callables: REDUCE on one of the few
// known names makes a dict or a tensor record. What a training run leaves beside its tensors (a scheduler, a numpy
// scalar, its options) becomes a kForeign: the name of a class, without contents; nothing can be read from it.
//
//   Result<PickleDocument> document = InterpretPickle(bytes);
//   for (PickleDocument::Id item : document->Items(document->root())) ... document->kind(item) ...
//
// Values form a directed acyclic graph of at most 64 levels: a container that has been placed in another one can no
// longer change, so no container can come to hold itself. Memory is a small multiple of the input.
#ifndef INTSAM_CONVERTER_CHECKPOINT_PICKLE_H_
#define INTSAM_CONVERTER_CHECKPOINT_PICKLE_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/checkpoint/bytes.h"
#include "converter/checkpoint/checkpoint.h"
#include "runtime/base/status.h"

namespace intsam::internal {

enum class PickleKind : uint8_t {
  kNone,
  kBool,
  kInt,
  kReal,
  kString,
  kTuple,
  kList,
  kDict,
  kForeign,  // an object of a class that is not on the list; also bytes and sets, which have no name
  kGlobal,   // the name of a known function, class or storage type
  kStorage,  // Items: "storage", type (kGlobal), key (kString), device (kString), element count (kInt >= 0)
  kTensor,   // Items: kStorage, offset (kInt >= 0), sizes and strides (equally long kTuple of kInt >= 0), kBool, empty
             // kDict
};

enum class PickleGlobal : uint8_t { kOrderedDict, kRebuildTensor, kRebuildParameter, kStorageType };

const char* NameOf(PickleKind kind);  // "an integer", "a dict": for messages

class PickleDocument {
 public:
  using Id = uint32_t;

  Id root() const { return root_; }
  PickleKind kind(Id id) const { return nodes_[id].kind; }
  int64_t Integer(Id id) const { return static_cast<int64_t>(nodes_[id].payload); }  // kInt, kBool
  double Real(Id id) const;
  std::string_view Text(Id id) const;                                      // kString: points into the interpreted bytes
  PickleGlobal Global(Id id) const;                                        // kGlobal
  DType StorageType(Id id) const;                                          // kGlobal that is kStorageType
  uint32_t Count(Id id) const;                                             // of Items
  std::pair<std::string_view, std::string_view> ForeignName(Id id) const;  // kForeign: module and class, or both empty
  std::vector<Id> Items(Id id) const;  // containers, kStorage, kTensor; of a dict: key, value, key, value, ...

 private:
  friend class PickleMachine;

  struct Node {
    PickleKind kind;
    bool frozen;     // a container that is held by another one
    uint8_t depth;   // levels of containers below and including this one
    uint8_t global;  // kGlobal: index in the list of known names; kDict: 1 for an OrderedDict
    uint32_t count;  // containers: items; kString: bytes
    // The number's bits; kString: offset; kForeign: two kStrings, module | class << 32; containers: first cell | last
    // cell << 32; kStorage, kTensor: a kTuple.
    uint64_t payload;
  };
  struct Cell {
    Id item;
    uint32_t next;
  };

  std::vector<Node> nodes_;
  std::vector<Cell> cells_;
  std::string_view bytes_;
  Id root_ = 0;
};

// `bytes` must outlive the document and be one whole pickle of protocol 2 to 5, from PROTO to STOP. Errors name the
// offset and the opcode: kDamaged for a malformed pickle, kUnsupported for an opcode outside the list, kResource for a
// limit.
Result<PickleDocument> InterpretPickle(ByteSpan bytes);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_PICKLE_H_
