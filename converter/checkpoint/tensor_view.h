// A tensor as a parser found it: where its elements lie in the file. The parsers of this folder are pure functions from
// the bytes of a file to a list of views; every view they return stays inside those bytes.
#ifndef INTSAM_CONVERTER_CHECKPOINT_TENSOR_VIEW_H_
#define INTSAM_CONVERTER_CHECKPOINT_TENSOR_VIEW_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/bytes.h"
#include "converter/checkpoint/checkpoint.h"
#include "runtime/base/status.h"

namespace intsam::internal {

struct TensorView {
  CheckpointTensor info;
  uint64_t offset = 0;            // of element (0, 0, ...) in the file, in bytes
  std::vector<uint64_t> strides;  // in elements, one per dimension
};

// The whole file as safetensors: no holes, no overlaps, no duplicate keys. Views in the order of their bytes.
// `metadata`: receives __metadata__; null: not wanted.
Result<std::vector<TensorView>> ReadSafetensors(ByteSpan file, CheckpointMetadata* metadata = nullptr);

// The whole file as the zip form of torch.save. Views in the order of the pickled dict.
Result<std::vector<TensorView>> ReadTorchZip(ByteSpan file);

// Copies the elements of a view of `file` to `out`, in C order.
void CopyElements(ByteSpan file, const TensorView& view, uint8_t* out);

uint64_t WidthOf(DType dtype);                              // bytes per element
const char* NameOf(DType dtype);                            // as in safetensors: "F32", "BOOL"
std::string ShapeText(const std::vector<uint64_t>& shape);  // "[3, 16, 16]"

// Exact widenings, NaN payloads kept.
float HalfToFloat(uint16_t bits);
float BfloatToFloat(uint16_t bits);

// The checks that every format shares. SetShape fills info.shape and info.elements.
Status CheckTensorName(std::string_view name);
Status SetShape(std::vector<uint64_t> shape, CheckpointTensor* info);
std::vector<uint64_t> ContiguousStrides(const std::vector<uint64_t>& shape);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_TENSOR_VIEW_H_
