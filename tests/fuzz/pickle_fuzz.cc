// Pickles. Oracle: no single allocation above 64 times the input, and what was understood can be written as a pickle
// again that is understood as the same graph.
#include <algorithm>
#include <cstdlib>
#include <new>
#include <unordered_map>

#include "converter/checkpoint/pickle.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

size_t largest_allocation = 0;

}  // namespace

// Not inlined: GCC would see malloc with operator delete, or operator new with free, and warn of a pair that does not
// match.
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  largest_allocation = std::max(largest_allocation, size);
  return std::malloc(size);
}
[[gnu::noinline]] void* operator new(size_t size) {
  void* memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace intsam::internal::testing {
namespace {

// Writes each value once and refers to it by the memo afterwards, so that shared values stay shared.
class Rewriter {
 public:
  explicit Rewriter(const PickleDocument& document) : document_(document) {}

  std::string Rewrite() {
    Write(document_.root());
    return out_.Finish();
  }

 private:
  using Id = PickleDocument::Id;

  void Write(Id id) {
    const auto [slot, is_new] = slots_.emplace(id, slots_.size());
    if (!is_new) {
      out_.Raw("j" + LittleEndian(slot->second, 4));
      return;
    }
    const uint64_t number = slot->second;
    WriteValue(id);
    out_.Raw("r" + LittleEndian(number, 4));
  }

  void WriteItems(Id id, const char* before, const char* after) {
    out_.Raw(before);
    for (const Id item : document_.Items(id)) Write(item);
    out_.Raw(after);
  }

  void WriteValue(Id id) {
    switch (document_.kind(id)) {
      case PickleKind::kNone: out_.Raw("N"); break;
      case PickleKind::kBool: out_.Raw(document_.Integer(id) ? "\x88" : "\x89"); break;
      case PickleKind::kInt: out_.Int(document_.Integer(id)); break;
      case PickleKind::kReal: WriteReal(document_.Real(id)); break;
      case PickleKind::kString: out_.Text(std::string(document_.Text(id))); break;
      case PickleKind::kTuple: WriteItems(id, "(", "t"); break;
      case PickleKind::kList: WriteItems(id, "](", "e"); break;
      case PickleKind::kDict: WriteItems(id, "}(", "u"); break;
      case PickleKind::kForeign: WriteForeign(id); break;
      case PickleKind::kGlobal: WriteGlobal(id); break;
      case PickleKind::kStorage: WriteItems(id, "(", "tQ"); break;
      case PickleKind::kTensor: WriteItems(id, "ctorch._utils\n_rebuild_tensor_v2\n(", "tR"); break;
    }
  }

  void WriteReal(double value) {
    uint64_t bits;
    static_assert(sizeof bits == sizeof value);
    __builtin_memcpy(&bits, &value, sizeof bits);
    std::string text = LittleEndian(bits, 8);
    std::reverse(text.begin(), text.end());
    out_.Raw("G" + text);
  }

  void WriteForeign(Id id) {
    const auto [module, type] = document_.ForeignName(id);
    if (module.empty() && type.empty()) {
      out_.Raw("\x8f");
    } else {
      out_.Text(std::string(module)).Text(std::string(type)).Raw("\x93");
    }
  }

  void WriteGlobal(Id id) {
    switch (document_.Global(id)) {
      case PickleGlobal::kOrderedDict: out_.Global("collections", "OrderedDict"); break;
      case PickleGlobal::kRebuildTensor: out_.Global("torch._utils", "_rebuild_tensor_v2"); break;
      case PickleGlobal::kRebuildParameter: out_.Global("torch._utils", "_rebuild_parameter"); break;
      case PickleGlobal::kStorageType: {
        const std::pair<DType, const char*> kTypes[] = {
            {DType::kF32, "FloatStorage"},  {DType::kF16, "HalfStorage"}, {DType::kBF16, "BFloat16Storage"},
            {DType::kF64, "DoubleStorage"}, {DType::kI8, "CharStorage"},  {DType::kU8, "ByteStorage"},
            {DType::kI16, "ShortStorage"},  {DType::kI32, "IntStorage"},  {DType::kI64, "LongStorage"},
            {DType::kBool, "BoolStorage"}};
        for (const auto& [dtype, name] : kTypes) {
          if (dtype == document_.StorageType(id)) out_.Global("torch", name);
        }
      }
    }
  }

  const PickleDocument& document_;
  std::unordered_map<Id, uint64_t> slots_;
  PickleWriter out_;
};

// Equal graphs, visiting each value of `a` once: its partner in `b` must always be the same value.
class Comparer {
 public:
  Comparer(const PickleDocument& a, const PickleDocument& b) : a_(a), b_(b) {}

  bool Same(PickleDocument::Id x, PickleDocument::Id y) {
    if (const auto [partner, is_new] = partners_.emplace(x, y); !is_new) return partner->second == y;
    if (a_.kind(x) != b_.kind(y)) return false;
    switch (a_.kind(x)) {
      case PickleKind::kNone: return true;
      case PickleKind::kBool:
      case PickleKind::kInt: return a_.Integer(x) == b_.Integer(y);
      case PickleKind::kReal: {
        const double left = a_.Real(x), right = b_.Real(y);
        return __builtin_memcmp(&left, &right, sizeof left) == 0;
      }
      case PickleKind::kString: return a_.Text(x) == b_.Text(y);
      case PickleKind::kForeign: return a_.ForeignName(x) == b_.ForeignName(y);
      case PickleKind::kGlobal: return a_.Global(x) == b_.Global(y) && a_.StorageType(x) == b_.StorageType(y);
      default: break;
    }
    const auto left = a_.Items(x), right = b_.Items(y);
    if (left.size() != right.size() || left.size() != a_.Count(x)) return false;
    for (size_t i = 0; i < left.size(); ++i) {
      if (!Same(left[i], right[i])) return false;
    }
    return true;
  }

 private:
  const PickleDocument& a_;
  const PickleDocument& b_;
  std::unordered_map<PickleDocument::Id, PickleDocument::Id> partners_;
};

}  // namespace

std::vector<std::string> FuzzSeeds() {
  PickleWriter nested;
  nested.Raw("}(").Text("model").OrderedDict().Raw("q\x01(").Text("a").Tensor({}).Text("b");
  nested.Tensor({.storage = "HalfStorage", .key = "1", .count = 4, .offset = 1, .sizes = {3}, .strides = {1}})
      .Raw("u}");
  nested.Text("_metadata")
      .OrderedDict()
      .Raw("sb")
      .Text("epoch")
      .Raw("K\x03")
      .Text("lr")
      .Raw("G")
      .Raw(std::string(8, '?'));
  nested.Text("list").Raw("](NK\x01M\x01\x02]aeu");
  PickleWriter training(5);
  training.Raw("}\x94(").Text("args").Global("argparse", "Namespace").Raw(")\x81}").Text("lr").Raw("K\x01sb");
  training.Text("seen")
      .Raw("\x8f(K\x01K\x02\x90")
      .Text("id")
      .Raw(
          "C\x03"
          "abc")
      .Text("shape")
      .Raw("(K\x01\x91");
  training.Text("counts").Global("collections", "Counter").Raw("}\x85R(").Text("a").Raw("K\x01u");
  training.Text("model").OrderedDict().Raw("(").Text("a").Tensor({}).Raw("uu");
  PickleWriter parameter;
  parameter.Global("torch._utils", "_rebuild_parameter").Raw("(").Tensor({}).Raw("\x88").OrderedDict().Raw("tR");
  return {nested.Finish(), training.Finish(), parameter.Finish(), TensorPickle({}),
          PickleWriter().Raw("(]q\x01h\x01\x85").Text("s").Raw("\x88\x89t").Finish(),
          // Refused: too deep, what cannot be called or be a key, a name that is too long.
          PickleWriter().Raw("N" + std::string(70, '\x85')).Finish(),
          PickleWriter().Global("torch", "FloatStorage").Raw(")R").Finish(),
          PickleWriter().Raw("G").Raw(std::string(8, '?')).Raw(")R").Finish(), PickleWriter().Raw("\x88)R").Finish(),
          PickleWriter().Raw("N)R").Finish(), PickleWriter().Raw("J").Raw(LittleEndian(7, 4)).Raw(")R").Finish(),
          PickleWriter().Storage("FloatStorage", "0", 6).Raw(")R").Finish(), PickleWriter().Raw("}]K\x01s").Finish(),
          PickleWriter(4).Text("os").Text(std::string(300, 'x')).Raw("\x93").Finish()};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  largest_allocation = 0;
  const auto document = InterpretPickle({data, size});
  testing::Require(largest_allocation <= 64 * size + 8192, "allocation above 64 times the input");
  if (!document.ok()) return 0;
  const std::string again = testing::Rewriter(document.value()).Rewrite();
  const auto copy = InterpretPickle(testing::AsBytes(again));
  // Numbers grow to nine bytes and every value gets a memo slot: only then may a limit stop the copy.
  if (!copy.ok()) {
    testing::Require(copy.status().code() == Code::kResource, copy.status().message().c_str());
    return 0;
  }
  testing::Require(testing::Comparer(document.value(), copy.value()).Same(document.value().root(), copy.value().root()),
                   "another graph");
  return 0;
}
