// safetensors files. Oracle: the tensors' ranges, in order, cover the bytes after the header exactly.
#include <utility>

#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {

// One tensor of each type, two elements in each.
static std::string AllTypes() {
  const std::pair<const char*, size_t> kTypes[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I8", 1},
                                                   {"U8", 1},  {"I16", 2}, {"I32", 4},  {"I64", 8}, {"BOOL", 1}};
  std::string header;
  size_t end = 0;
  for (const auto& [name, width] : kTypes) {
    const std::string begin = std::to_string(end);
    end += 2 * width;
    header += std::string(header.empty() ? "{" : ",") + "\"" + name + "\":{\"dtype\":\"" + name +
              "\",\"shape\":[2],\"data_offsets\":[" + begin + "," + std::to_string(end) + "]}";
  }
  return WriteSafetensors(header + "}", std::string(end, '\x3c'));
}

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds = {TinySafetensors(), AllTypes(), WriteSafetensors("{}", ""),
                                    WriteSafetensors(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}} )", "")};
  const std::string long_name(200, 'n');
  // Refused: what is no tensor, names, sizes, and bytes that no tensor has.
  for (const std::string& header :
       {std::string("{\"a\":null}"), std::string("{\"a\":true}"), std::string("{\"a\":-1}"), std::string("{\"a\":0.5}"),
        "{\"" + long_name + "\":{}}", std::string("{\"\\u00e9\":{}}"),
        std::string(R"({"a":{"dtype":"U8","shape":[99999],"data_offsets":[0,99999]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":[65536,65536],"data_offsets":[0,1]}})"),
        std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})")}) {
    seeds.push_back(WriteSafetensors(header, std::string(8, '\x01')));
  }
  return seeds;
}

}  // namespace intsam::internal::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intsam::internal;
  const ByteSpan file(data, size);
  CheckpointMetadata metadata;
  const auto views = ReadSafetensors(file, &metadata);
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
