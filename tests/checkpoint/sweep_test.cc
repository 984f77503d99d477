// Every truncation and every single-byte corruption of a small file of each kind: an error or a list of views inside
// the file, whose elements can then be read; never a crash (the sanitizer builds give this its teeth).
#include <functional>
#include <string>
#include <vector>

#include "converter/checkpoint/pickle.h"
#include "converter/checkpoint/tensor_view.h"
#include "converter/checkpoint/zip_directory.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {
namespace {

// Parses, reads every element of what parsed, and tells whether it parsed.
using Reader = std::function<bool(const std::string&)>;

bool ReadAll(const std::string& file, Result<std::vector<TensorView>> views) {
  if (!views.ok()) {
    EXPECT_FALSE(views.status().message().empty());
    return false;
  }
  for (const TensorView& view : views.value()) {
    std::vector<uint8_t> bytes(view.info.elements * WidthOf(view.info.dtype));
    CopyElements(AsBytes(file), view, bytes.data());
  }
  return true;
}

bool ReadTorch(const std::string& file) { return ReadAll(file, ReadTorchZip(AsBytes(file))); }
bool ReadSafe(const std::string& file) { return ReadAll(file, ReadSafetensors(AsBytes(file))); }
bool ReadPickle(const std::string& file) { return InterpretPickle(AsBytes(file)).ok(); }
bool ReadZip(const std::string& file) { return ReadZipDirectory(AsBytes(file)).ok(); }

struct Subject {
  const char* label;
  std::string file;
  Reader read;
};

std::vector<Subject> Subjects() {
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
      .Raw(std::string(8, '?'))
      .Raw("u");
  // What a training run saves with protocol 5: foreign objects, bytes and sets beside the weights.
  PickleWriter training(5);
  training.Raw("}\x94(").Text("args").Global("argparse", "Namespace").Raw(")\x81}").Text("lr").Raw("G");
  training.Raw(std::string(8, '?'))
      .Raw("sb")
      .Text("seen")
      .Raw("\x8f(K\x01K\x02\x90")
      .Text("id")
      .Raw(
          "C\x03"
          "abc");
  training.Text("shape").Raw("(K\x01\x91").Text("model").OrderedDict().Raw("(").Text("a").Tensor({}).Raw("uu");
  std::vector<ZipEntry> entries = TorchEntries(nested.Finish());
  entries.push_back({.name = "m/data/1", .data = "12345678"});
  return {{"torch", WriteZip(entries), ReadTorch},
          {"training", WriteTorch(training.Finish()), ReadTorch},
          {"pickle", nested.Finish(), ReadPickle},
          {"pickle of protocol 5", training.Finish(), ReadPickle},
          {"zip", WriteZip({{.name = "m/a", .data = "0123456789"}, {.name = "m/b", .data = "xyz"}}), ReadZip},
          {"safetensors", TinySafetensors(), ReadSafe}};
}

TEST(Sweep, EveryTruncationIsRefused) {
  for (const Subject& subject : Subjects()) {
    SCOPED_TRACE(subject.label);
    EXPECT_TRUE(subject.read(subject.file));
    for (size_t size = 0; size < subject.file.size(); ++size) {
      EXPECT_FALSE(subject.read(subject.file.substr(0, size))) << size;
    }
    EXPECT_FALSE(subject.read(subject.file + '\0'));
  }
}

TEST(Sweep, EveryCorruptedByteIsHandled) {
  for (const Subject& subject : Subjects()) {
    SCOPED_TRACE(subject.label);
    size_t refused = 0;
    for (size_t at = 0; at < subject.file.size(); ++at) {
      for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff, subject.file[at] ^ 0x20}) {
        std::string file = subject.file;
        file[at] = static_cast<char>(value);
        refused += !subject.read(file);
      }
    }
    EXPECT_GT(refused, subject.file.size() / 2);
  }
}

// Each 2-, 4- and 8-byte field that could be a size or an offset, at its extremes.
TEST(Sweep, EveryExtremeFieldIsHandled) {
  for (const Subject& subject : Subjects()) {
    SCOPED_TRACE(subject.label);
    for (const int width : {2, 4, 8}) {
      for (size_t at = 0; at + width <= subject.file.size(); ++at) {
        const uint64_t max = width == 8 ? UINT64_MAX : (uint64_t{1} << 8 * width) - 1;
        for (const uint64_t value : {uint64_t{0}, uint64_t{1}, max / 2, max - 1, max}) {
          std::string file = subject.file;
          file.replace(at, width, LittleEndian(value, width));
          subject.read(file);
        }
      }
    }
  }
}

}  // namespace
}  // namespace intsam::internal::testing
