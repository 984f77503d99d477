// Zip directories and whole .pth archives. Oracle: the members' ranges are disjoint and inside the file, the names
// unique, and every element of every tensor view can be read.
#include <algorithm>
#include <set>

#include "converter/checkpoint/tensor_view.h"
#include "converter/checkpoint/zip_directory.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {

std::vector<std::string> FuzzSeeds() {
  ZipOptions narrow;
  narrow.zip64 = false;
  return {WriteTorch(TensorPickle({})),
          WriteZip({{.name = "m/a", .data = "0123456789"}, {.name = "m/b", .data = "xyz"}}, narrow)};
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
