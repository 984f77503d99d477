// Zip directories and whole .pth archives. Oracle: the members' ranges are disjoint and inside the file, the names
// unique, and every element of every tensor view can be read.
#include <algorithm>
#include <set>

#include "converter/checkpoint/tensor_view.h"
#include "converter/checkpoint/zip_directory.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {

// A member whose sizes and place are in its zip64 field.
static ZipEntry WideEntry(const std::string& field) {
  ZipEntry entry{.name = "m/a", .data = "0123456789"};
  entry.size = entry.stored = entry.header = UINT32_MAX;
  entry.central_extra = "FB" + LittleEndian(1, 2) + "Z" + LittleEndian(1, 2) + LittleEndian(field.size(), 2) + field;
  return entry;
}

std::vector<std::string> FuzzSeeds() {
  ZipOptions narrow;
  narrow.zip64 = false;
  const std::string wide = LittleEndian(10, 8) + LittleEndian(10, 8) + LittleEndian(0, 8);
  ZipEntry two_fields = WideEntry(wide);
  two_fields.central_extra += two_fields.central_extra;
  std::vector<ZipEntry> big_endian = TorchEntries(TensorPickle({}));
  big_endian[1].data = "big";
  return {WriteTorch(TensorPickle({})),
          WriteTorch(TensorPickle({.storage = "HalfStorage", .count = 12, .sizes = {2, 3}, .strides = {1, 4}})),
          WriteZip({{.name = "m/a", .data = "0123456789"}, {.name = "m/b", .data = "xyz"}}, narrow),
          WriteZip({WideEntry(wide), {.name = "m/b", .data = "xyz"}}),
          // Refused.
          WriteZip({WideEntry(wide.substr(16))}), WriteZip({two_fields}),
          WriteZip({{.name = "m/a", .data = "1"}, {.name = "m/a", .data = "2"}}),
          WriteZip({{.name = "weights.safetensors", .data = "1"}}), WriteZip({{.name = "a.npy", .data = "1"}}),
          WriteZip({{.name = "m/data.pkl", .data = "1"}, {.name = "n/data.pkl", .data = "1"}}),
          WriteZip({{.name = "m/data.pkl", .data = "1"}, {.name = "m/constants.pkl", .data = "1"}}),
          WriteZip(big_endian), WriteTorch(TensorPickle({.key = "9"})), WriteTorch(TensorPickle({.offset = 1})),
          WriteTorch(TensorPickle({.sizes = {7}, .strides = {0}})),
          WriteTorch(TensorPickle({.sizes = {1, 1, 1, 1, 1}, .strides = {1, 1, 1, 1, 1}})),
          WriteTorch(PickleWriter().Raw("}(").Text("a").Tensor({}).Text("a").Tensor({}).Raw("u").Finish()),
          WriteTorch(PickleWriter().Raw("}(K\x01").Tensor({}).Raw("u").Finish()),
          WriteTorch(PickleWriter().Raw("]").Finish()), WriteTorch(PickleWriter().Global("os", "system").Finish()),
          WriteTorch(PickleWriter().Raw("}(").Text("m").Global("os", "system").Raw("u").Finish()),
          WriteTorch(PickleWriter().Raw("}(").Text("a").Tensor({}).Text("m").Raw("\x8fu").Finish()),
          WriteTorch(PickleWriter()
                         .Raw("}(")
                         .Text("weights")
                         .Raw("}(")
                         .Text("a")
                         .Tensor({})
                         .Raw("u")
                         .Text("mean")
                         .Raw("}(")
                         .Text("a")
                         .Tensor({})
                         .Raw("uu")
                         .Finish())};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  const ByteSpan file(data, size);
  if (const auto members = ReadZipDirectory(file); members.ok()) {
    std::vector<ZipMember> sorted = members.value();
    std::sort(sorted.begin(), sorted.end(), [](const ZipMember& a, const ZipMember& b) { return a.offset < b.offset; });
    std::set<std::string> names;
    uint64_t end = 0;
    for (const ZipMember& member : sorted) {
      testing::Require(member.offset >= end && member.offset <= size && member.size <= size - member.offset,
                       "member range");
      testing::Require(names.insert(member.name).second, "member name");
      end = member.offset + member.size;
    }
  }
  if (const auto views = ReadTorchZip(file); views.ok()) {
    for (const TensorView& view : views.value()) {
      const uint64_t bytes = view.info.elements * WidthOf(view.info.dtype);
      testing::Require(bytes <= size, "view is larger than the file");
      std::vector<uint8_t> copy(bytes);
      CopyElements(file, view, copy.data());
    }
  }
  return 0;
}
