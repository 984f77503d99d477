// Pickles with one thing wrong each, and .pth files whose pickle and storages disagree.
#include <cmath>
#include <string>

#include "converter/checkpoint/pickle.h"
#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

using W = PickleWriter;

TEST(Pickle, ReadsEveryPlainValue) {
  const std::string bytes = W().Raw("]q")
                                .Raw(std::string(1, '\0'))
                                .Raw("(N\x88\x89")
                                .Raw("J")
                                .Raw(LittleEndian(0xfffffffe, 4))
                                .Raw("K\xff")
                                .Raw("M\xff\xff")
                                .Raw(std::string("\x8a\x00", 2))
                                .Raw("\x8a\x01\x80")
                                .Int(INT64_MIN)
                                .Raw("G")
                                .Raw(std::string("\x3f\xf8\0\0\0\0\0\0", 8))
                                .Text("text")
                                .Raw(
                                    "eK\x01"
                                    "a")
                                .Finish();
  const auto document = InterpretPickle(AsBytes(bytes));
  ASSERT_TRUE(document.ok()) << document.status().message();
  const PickleDocument& d = document.value();
  ASSERT_EQ(d.kind(d.root()), PickleKind::kList);
  const auto items = d.Items(d.root());
  ASSERT_EQ(items.size(), 12u);
  EXPECT_EQ(d.kind(items[0]), PickleKind::kNone);
  EXPECT_EQ(d.kind(items[1]), PickleKind::kBool);
  EXPECT_EQ(d.Integer(items[1]), 1);
  EXPECT_EQ(d.Integer(items[2]), 0);
  EXPECT_EQ(d.Integer(items[3]), -2);
  EXPECT_EQ(d.Integer(items[4]), 255);
  EXPECT_EQ(d.Integer(items[5]), 65535);
  EXPECT_EQ(d.Integer(items[6]), 0);
  EXPECT_EQ(d.Integer(items[7]), -128);
  EXPECT_EQ(d.Integer(items[8]), INT64_MIN);
  EXPECT_EQ(d.Real(items[9]), 1.5);
  EXPECT_EQ(d.Text(items[10]), "text");
  EXPECT_EQ(d.Integer(items[11]), 1);
}

struct BadPickle {
  const char* label;
  Code code;
  const char* word;
  std::string bytes;
};

std::string Nested(int depth) { return W().Raw(std::string(depth, ']')).Raw(std::string(depth - 1, 'a')).Finish(); }

std::string TooManyOpcodes() {
  std::string bytes = "]";
  for (int i = 0; i < 2000000; ++i) bytes += "Na";
  return W().Raw(bytes).Finish();
}

std::vector<BadPickle> BadPickles() {
  const std::string stored = W().Storage("FloatStorage", "0", 6).body();
  const std::string rebuild = W().Global("torch._utils", "_rebuild_tensor_v2").body();
  const std::string hooks = W().OrderedDict().body();
  std::vector<BadPickle> cases = {
      {"empty", Code::kDamaged, "PROTO", ""},
      {"no PROTO", Code::kDamaged, "PROTO", "}."},
      {"protocol 1", Code::kUnsupported, "protocol 1", "\x80\x01}."},
      {"protocol 6", Code::kUnsupported, "protocol 6", "\x80\x06}."},
      {"STOP missing", Code::kDamaged, "without STOP", "\x80\x02}"},
      {"bytes after STOP", Code::kDamaged, "after STOP", "\x80\x02}.."},
      {"STOP on an empty stack", Code::kDamaged, "STOP", "\x80\x02."},
      {"two values at STOP", Code::kDamaged, "STOP", "\x80\x02}}."},
      {"mark at STOP", Code::kDamaged, "marks", "\x80\x02}(."},
      {"global without line end", Code::kDamaged, "GLOBAL",
       "\x80\x02"
       "ccollections"},
      {"global of 257 bytes", Code::kDamaged, "GLOBAL", W().Global(std::string(257, 'm'), "n").Finish()},
      {"argument past the end", Code::kDamaged, "BININT", "\x80\x02J\x01"},
      {"string past the end", Code::kDamaged, "BINUNICODE", "\x80\x02X" + LittleEndian(100, 4) + "abc."},
      {"string of 64 KiB + 1", Code::kResource, "BINUNICODE", W().Text(std::string(65537, 's')).Finish()},
      {"string of 4 GiB", Code::kResource, "BINUNICODE", "\x80\x02X\xff\xff\xff\xff."},
      {"integer of 9 bytes", Code::kUnsupported, "LONG1", "\x80\x02\x8a\x09" + std::string(9, '\x7f') + "."},
      {"memo slot empty", Code::kDamaged, "slot 7", "\x80\x02h\x07."},
      {"memo slot huge", Code::kResource, "slot", "\x80\x02}r\xff\xff\xff\x7f."},
      {"memo slot set twice", Code::kDamaged, "twice", W().Raw("}q\x01}q\x01").Finish()},
      {"memo of nothing", Code::kDamaged, "BINPUT", "\x80\x02q\x01."},
      {"tuple without mark", Code::kDamaged, "no mark", "\x80\x02t."},
      {"SETITEMS without mark", Code::kDamaged, "no mark", "\x80\x02}u."},
      {"tuple takes from below a mark", Code::kDamaged, "TUPLE2", "\x80\x02N(N\x86."},
      {"key without value", Code::kDamaged, "key", W().Raw("}(").Text("k").Raw("u").Finish()},
      {"items of a list into a dict", Code::kDamaged, "target", "\x80\x02}Na."},
      {"dict key is a list", Code::kDamaged, "key", "\x80\x02}]Ns."},
      {"list in itself", Code::kDamaged, "in itself", W().Raw("]q\x01h\x01").Raw("a").Finish()},
      {"cycle of two lists", Code::kDamaged, "after it was placed",
       W().Raw("]q\x01]q\x02h\x01").Raw("ah\x01h\x02").Raw("a").Finish()},
      {"cycle through a tuple", Code::kDamaged, "after it was placed",
       W().Raw("]q\x01\x85q\x02h\x01h\x02").Raw("a").Finish()},
      {"nested too deep", Code::kResource, "nested", Nested(65)},
      {"stack too high", Code::kResource, "stack", W().Raw(std::string(65537, 'N')).Finish()},
      {"too many marks", Code::kResource, "marks", W().Raw(std::string(65537, '(')).Finish()},
      {"too many opcodes", Code::kResource, "opcodes", TooManyOpcodes()},
      {"names of numbers", Code::kDamaged, "names an integer of None", W().Raw("NK\x01\x93").Finish()},
      {"name of 257 bytes on the stack", Code::kDamaged, "257 bytes",
       W().Text("torch").Text(std::string(257, 'n')).Raw("\x93").Finish()},
      {"frame past the end", Code::kDamaged, "frame", "\x80\x04\x95" + LittleEndian(3, 8) + "}."},
      {"frame of 2^64 - 1", Code::kDamaged, "frame", "\x80\x04\x95" + LittleEndian(UINT64_MAX, 8) + "}."},
      {"frame without a length", Code::kDamaged, "FRAME", "\x80\x04\x95\x01"},
      {"short string past the end", Code::kDamaged, "SHORT_BINUNICODE",
       "\x80\x04\x8c\x05"
       "abc."},
      {"bytes past the end", Code::kDamaged, "SHORT_BINBYTES",
       "\x80\x04"
       "C\x05"
       "abc."},
      {"bytes of 4 GiB", Code::kResource, "BINBYTES",
       "\x80\x04"
       "B\xff\xff\xff\xff."},
      {"MEMOIZE of nothing", Code::kDamaged, "MEMOIZE", "\x80\x04\x94."},
      {"frozen set without mark", Code::kDamaged, "no mark", "\x80\x04\x91."},
      {"items of a dict into a set", Code::kDamaged, "target", "\x80\x04}(K\x01\x90."},
      {"object of a string", Code::kDamaged, "makes a string", W().Text("Sam").Raw(")\x81").Finish()},
      {"object of a known name", Code::kDamaged, "makes a type",
       W().Global("collections", "OrderedDict").Raw(")\x81").Finish()},
      {"object with a list of arguments", Code::kDamaged, "from a list", W().Global("a", "B").Raw("]\x81").Finish()},
      {"object applied to a list", Code::kDamaged, "applies an object to a list",
       W().Global("a", "B").Raw("]R").Finish()},
      {"persistent id is a string", Code::kDamaged, "persistent id", W().Text("storage").Raw("Q").Finish()},
      {"persistent id of another kind", Code::kDamaged, "persistent id",
       W().Raw("(").Text("module").Global("torch", "FloatStorage").Text("0").Text("cpu").Int(6).Raw("tQ").Finish()},
      {"persistent id with a function for a type", Code::kDamaged, "persistent id",
       W().Raw("(")
           .Text("storage")
           .Global("collections", "OrderedDict")
           .Text("0")
           .Text("cpu")
           .Int(6)
           .Raw("tQ")
           .Finish()},
      {"storage of negative length", Code::kDamaged, "persistent id", W().Storage("FloatStorage", "0", -1).Finish()},
      {"storage type applied", Code::kUnsupported, "storage type",
       W().Global("torch", "FloatStorage").Raw(")R").Finish()},
      {"REDUCE of a string", Code::kDamaged, "REDUCE", W().Text("f").Raw(")R").Finish()},
      {"OrderedDict with items", Code::kUnsupported, "OrderedDict",
       W().Global("collections", "OrderedDict").Raw("]\x85R").Finish()},
      {"tensor of five arguments", Code::kUnsupported, "tensor is not",
       W().Raw(rebuild + "(" + stored).Int(0).Raw("))\x89tR").Finish()},
      {"tensor of a string", Code::kUnsupported, "tensor is not",
       W().Raw(rebuild + "(").Text("s").Int(0).Raw("))\x89" + hooks + "tR").Finish()},
      {"negative offset", Code::kUnsupported, "tensor is not", TensorPickle({.offset = -1})},
      {"negative size", Code::kUnsupported, "tensor is not", TensorPickle({.sizes = {-2, 3}})},
      {"negative stride", Code::kUnsupported, "tensor is not", TensorPickle({.strides = {3, -1}})},
      {"sizes and strides of different rank", Code::kUnsupported, "tensor is not", TensorPickle({.strides = {1}})},
      {"tensor with hooks", Code::kUnsupported, "tensor is not",
       W().Raw(rebuild + "(" + stored).Int(0).Raw("))\x89" + hooks + "NNstR").Finish()},
      {"parameter of a dict", Code::kUnsupported, "parameter",
       W().Global("torch._utils", "_rebuild_parameter").Raw("(}\x89" + hooks + "tR").Finish()},
      {"BUILD of a plain dict", Code::kUnsupported, "BUILD", W().Raw("}}b").Finish()},
      {"BUILD of other attributes", Code::kUnsupported, "_metadata",
       W().OrderedDict().Raw("}").Text("__class__").Raw("}sb").Finish()},
  };
  // Every opcode that is not on the list, by its name in the message.
  const std::pair<const char*, const char*> kRefused[] = {
      {"i", "INST"},           {"o", "OBJ"},       {"\x82", "EXT1"}, {"\x83", "EXT2"}, {"\x84", "EXT4"},
      {"\x96", "BYTEARRAY8"},  {"P", "PERSID"},    {"I", "INT"},     {"L", "LONG"},    {"F", "FLOAT"},
      {"\x92", "NEWOBJ_EX"},   {"S", "STRING"},    {"0", "POP"},     {"2", "DUP"},     {"d", "DICT"},
      {"l", "LIST"},           {"p", "PUT"},       {"g", "GET"},     {"V", "UNICODE"}, {"\x8b", "LONG4"},
      {"\x97", "NEXT_BUFFER"}, {"\xff", "unknown"}};
  for (const auto& [code, name] : kRefused)
    cases.push_back({name, Code::kUnsupported, name, W().Raw("}").Raw(code).Finish()});
  return cases;
}

TEST(Pickle, RefusesEachBadPickle) {
  for (const BadPickle& bad : BadPickles()) {
    SCOPED_TRACE(bad.label);
    ExpectRefused(InterpretPickle(AsBytes(bad.bytes)).status(), bad.code, bad.word);
  }
}

TEST(Pickle, AcceptsTheDeepestNesting) { EXPECT_TRUE(InterpretPickle(AsBytes(Nested(64))).ok()); }

TEST(Pickle, ExecutesNoOpcodeOutsideTheList) {
  const std::string allowed = "(.BCGJKMNQRXabc}ehj]qrst)u\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x93\x94\x95";
  for (int code = 0; code < 256; ++code) {
    const auto status = InterpretPickle(AsBytes(W().Raw(std::string(1, static_cast<char>(code))).Finish())).status();
    const bool refused =
        status.code() == Code::kUnsupported && status.message().find("not in the list") != std::string::npos;
    EXPECT_EQ(refused, allowed.find(static_cast<char>(code)) == std::string::npos) << code << " " << status.message();
  }
}

// --- pickle and storages together ---

TEST(TorchZip, ReadsOffsetsAndStrides) {
  std::string storage;
  for (int i = 0; i < 6; ++i) storage += static_cast<char>(10 + i);
  const std::string file =
      WriteTorch(TensorPickle({.storage = "ByteStorage", .offset = 1, .sizes = {2, 2}, .strides = {1, 3}}), storage);
  const auto views = ReadTorchZip(AsBytes(file));
  ASSERT_TRUE(views.ok()) << views.status().message();
  ASSERT_EQ(views.value().size(), 1u);
  uint8_t out[4];
  CopyElements(AsBytes(file), views.value()[0], out);
  EXPECT_EQ(std::string(out, out + 4), "\x0b\x0e\x0c\x0f");
}

TEST(TorchZip, ReadsEmptyTensorsScalarsAndParameters) {
  const std::string pickle = W().Raw("}(")
                                 .Text("empty")
                                 .Tensor({.offset = 6, .sizes = {0, 3}})
                                 .Text("scalar")
                                 .Tensor({.offset = 5, .sizes = {}, .strides = {}})
                                 .Text("parameter")
                                 .Global("torch._utils", "_rebuild_parameter")
                                 .Raw("(")
                                 .Tensor({})
                                 .Raw("\x88")
                                 .OrderedDict()
                                 .Raw("tRu")
                                 .Finish();
  const auto views = ReadTorchZip(AsBytes(WriteTorch(pickle)));
  ASSERT_TRUE(views.ok()) << views.status().message();
  ASSERT_EQ(views.value().size(), 3u);
  EXPECT_EQ(views.value()[0].info.elements, 0u);
  EXPECT_EQ(views.value()[1].info.elements, 1u);
  EXPECT_EQ(views.value()[2].info.shape, (std::vector<uint64_t>{2, 3}));
}

TEST(TorchZip, RefusesEachBadPickleAndStorage) {
  const std::string pair = W().Text("a").Tensor({}).body();
  const BadPickle kCases[] = {
      {"storage missing", Code::kDamaged, "storage 'x'", TensorPickle({.key = "x"})},
      {"storage shorter than stated", Code::kDamaged, "24 bytes", TensorPickle({.count = 7})},
      {"storage length wraps", Code::kDamaged, "24 bytes", TensorPickle({.count = (int64_t{1} << 62) + 6})},
      {"storage of another width", Code::kDamaged, "F64", TensorPickle({.storage = "DoubleStorage"})},
      {"shape past the storage", Code::kDamaged, "reaches past", TensorPickle({.sizes = {2, 4}})},
      {"offset past the storage", Code::kDamaged, "reaches past", TensorPickle({.offset = 1})},
      {"offset huge", Code::kDamaged, "reaches past", TensorPickle({.offset = INT64_MAX})},
      {"stride past the storage", Code::kDamaged, "reaches past", TensorPickle({.strides = {4, 1}})},
      {"stride wraps", Code::kDamaged, "reaches past",
       TensorPickle({.sizes = {5, 1}, .strides = {int64_t{1} << 62, 1}})},
      {"sum of strides wraps", Code::kDamaged, "reaches past",
       TensorPickle({.sizes = {2, 2, 2}, .strides = {INT64_MAX, INT64_MAX, 2}})},
      {"offset of an empty tensor", Code::kDamaged, "reaches past", TensorPickle({.offset = 7, .sizes = {0, 3}})},
      {"expanded view", Code::kUnsupported, "expanded", TensorPickle({.sizes = {5, 3}, .strides = {0, 1}})},
      {"rank 5", Code::kResource, "dimensions", TensorPickle({.sizes = {1, 1, 1, 2, 3}, .strides = {6, 6, 6, 3, 1}})},
      {"dimension of 65537", Code::kResource, "dimension", TensorPickle({.sizes = {65537}, .strides = {0}})},
      {"product of dimensions wraps", Code::kResource, "elements",
       TensorPickle({.sizes = {65536, 65536, 65536, 65536}, .strides = {0, 0, 0, 0}})},
      {"empty name", Code::kDamaged, "name is empty", W().Raw("}").Text("").Tensor({}).Raw("s").Finish()},
      {"long name", Code::kResource, "name of 129",
       W().Raw("}").Text(std::string(129, 'n')).Tensor({}).Raw("s").Finish()},
      {"NUL in a name", Code::kDamaged, "\\x00",
       W().Raw("}").Text(std::string("a\0b", 3)).Tensor({}).Raw("s").Finish()},
      {"duplicate name", Code::kDamaged, "duplicate", W().Raw("}(" + pair + pair + "u").Finish()},
      {"number as a name", Code::kUnsupported, "a key", W().Raw("}").Int(1).Tensor({}).Raw("s").Finish()},
      {"bare tensor", Code::kUnsupported, "holds a tensor", W().Tensor({}).Finish()},
      {"list of tensors", Code::kUnsupported, "holds a list", W().Raw("]").Tensor({}).Raw("a").Finish()},
      {"weights and their mean", Code::kUnsupported, "two sets of weights, 'model' and 'ema'",
       W().Raw("}(").Text("model").Raw("}" + pair + "s").Text("ema").Raw("}" + pair + "su").Finish()},
      {"weights at two levels", Code::kUnsupported, "two sets of weights, the whole file and 'ema'",
       W().Raw("}(" + pair).Text("ema").Raw("}" + pair + "su").Finish()},
      {"whole module", Code::kUnsupported, "state_dict()",
       W().Global("segment_anything.modeling.sam", "Sam").Raw(")\x81").Finish()},
      {"whole module with its state", Code::kUnsupported, "'a.b Sam' is not plain tensor data",
       W().Global("a.b", "Sam").Raw(")\x81}" + pair + "sb").Finish()},
      {"whole module among options", Code::kUnsupported, "no dict of tensors: 'a Sam'",
       W().Raw("}").Text("model").Global("a", "Sam").Raw(")\x81s").Finish()},
      {"function", Code::kUnsupported, "'posix system'", W().Global("posix", "system").Finish()},
      {"function and its arguments", Code::kUnsupported, "'posix system'",
       W().Global("posix", "system").Text("ls").Raw("\x85R").Finish()},
      {"known name of another module", Code::kUnsupported, "'builtins OrderedDict'",
       W().Global("builtins", "OrderedDict").Raw(")R").Finish()},
      {"control bytes in a name", Code::kUnsupported, "\\x1b", W().Global("\x1b[31m", "x").Finish()},
      {"set", Code::kUnsupported, "a set or bytes", W().Raw("\x8f").Finish()},
      {"object among the tensors", Code::kUnsupported, "entry 'q': 'torch._utils _rebuild_qtensor'",
       W().Raw("}(" + pair).Text("q").Global("torch._utils", "_rebuild_qtensor").Raw(")Ru").Finish()},
  };
  for (const BadPickle& bad : kCases) {
    SCOPED_TRACE(bad.label);
    ExpectRefused(ReadTorchZip(AsBytes(WriteTorch(bad.bytes))).status(), bad.code, bad.word);
  }
}

TEST(TorchZip, RefusesATinyFileThatClaimsTerabytes) {
  std::string many = "}(";
  for (int i = 0; i < 3000; ++i) {
    // One tensor, memoized once, under many names.
    many += W().Text("t" + std::to_string(i)).body();
    many += i == 0 ? W().Tensor({.count = 6000, .sizes = {6000}, .strides = {1}}).Raw("q\x01").body() : "h\x01";
  }
  ExpectRefused(ReadTorchZip(AsBytes(WriteTorch(W().Raw(many + "u").Finish(), std::string(24000, 0)))).status(),
                Code::kDamaged, "claim");
}

TEST(TorchZip, RefusesArchivesThatAreNotCheckpoints) {
  const std::string pickle = TensorPickle({});
  const auto refuse = [&](auto spoil, Code code, const char* word) {
    std::vector<ZipEntry> entries = TorchEntries(pickle);
    spoil(entries);
    ExpectRefused(ReadTorchZip(AsBytes(WriteZip(entries))).status(), code, word);
  };
  EXPECT_TRUE(ReadTorchZip(AsBytes(WriteZip(TorchEntries(pickle)))).ok());
  refuse([](auto& e) { e.erase(e.begin()); }, Code::kUnsupported, "data.pkl");
  refuse([](auto& e) { e.push_back({.name = "n/data.pkl", .data = "x"}); }, Code::kDamaged, "two members");
  refuse([](auto& e) { e[1].data = "big"; }, Code::kUnsupported, "'big'");
  refuse([](auto& e) { e.pop_back(); }, Code::kDamaged, "version");
  refuse([](auto& e) { e.push_back({.name = "m/constants.pkl", .data = "x"}); }, Code::kUnsupported, "TorchScript");
}

}  // namespace
}  // namespace intsam::internal::testing
