// safetensors files. Oracle: the tensors' ranges, in order, cover the bytes after the header exactly.
#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {

std::vector<std::string> FuzzSeeds() {
  return {TinySafetensors(), WriteSafetensors("{}", ""),
          WriteSafetensors(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}} )", "")};
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  const ByteSpan file(data, size);
  const auto views = ReadSafetensors(file);
  if (!views.ok()) return 0;
  uint64_t end = 8 + LoadU64(data);
  for (const TensorView& view : views.value()) {
    testing::Require(view.offset == end, "hole or overlap");
    end += view.info.elements * WidthOf(view.info.dtype);
    testing::Require(end <= size, "range past the end");
    std::vector<uint8_t> copy(view.info.elements * WidthOf(view.info.dtype));
    CopyElements(file, view, copy.data());
  }
  testing::Require(end == size, "bytes after the last tensor");
  return 0;
}
