// What all checkpoint formats share: limits on one tensor, element types, and gathering of strided elements.
#include "converter/checkpoint/tensor_view.h"

#include <bit>
#include <cinttypes>
#include <cstring>
#include <utility>

#include "converter/checkpoint/limits.h"
#include "runtime/base/checked.h"

namespace intsam::internal {

uint64_t WidthOf(DType dtype) {
  switch (dtype) {
    case DType::kI8:
    case DType::kU8:
    case DType::kBool: return 1;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16: return 2;
    case DType::kF32:
    case DType::kI32: return 4;
    case DType::kF64:
    case DType::kI64: return 8;
  }
  return 0;
}

const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "F32";
    case DType::kF16: return "F16";
    case DType::kBF16: return "BF16";
    case DType::kF64: return "F64";
    case DType::kI8: return "I8";
    case DType::kU8: return "U8";
    case DType::kI16: return "I16";
    case DType::kI32: return "I32";
    case DType::kI64: return "I64";
    case DType::kBool: return "BOOL";
  }
  return "?";
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (const uint64_t n : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

float HalfToFloat(uint16_t bits) {
  const uint32_t sign = uint32_t{bits} >> 15 << 31;
  const uint32_t exponent = bits >> 10 & 31;
  const uint32_t mantissa = bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  if (mantissa == 0) return std::bit_cast<float>(sign);
  // A subnormal half is a normal float: move the leading one to bit 10 and lower the exponent by as much.
  const int shift = std::countl_zero(mantissa) - 21;
  return std::bit_cast<float>(sign | static_cast<uint32_t>(113 - shift) << 23 | (mantissa << shift & 1023) << 13);
}

float BfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

Status CheckTensorName(std::string_view name) {
  if (name.empty()) return Error(Code::kDamaged, "a tensor name is empty");
  if (name.size() > CheckpointLimits::kNameBytes) {
    return Error(Code::kResource, "tensor %s: name of %zu bytes, above the limit of %" PRIu64, Quote(name).c_str(),
                 name.size(), CheckpointLimits::kNameBytes);
  }
  if (!IsPrintableAscii(name))
    return Error(Code::kDamaged, "tensor %s: name is not printable ASCII", Quote(name).c_str());
  return Status();
}

Status SetShape(std::vector<uint64_t> shape, CheckpointTensor* info) {
  const char* name = info->name.c_str();
  if (shape.size() > CheckpointLimits::kRank) {
    return Error(Code::kResource, "tensor %s: %zu dimensions, above the limit of %" PRIu64, name, shape.size(),
                 CheckpointLimits::kRank);
  }
  uint64_t elements = 1;
  for (const uint64_t n : shape) {
    if (n > CheckpointLimits::kDimension) {
      return Error(Code::kResource, "tensor %s: dimension of %" PRIu64 ", above the limit of %" PRIu64, name, n,
                   CheckpointLimits::kDimension);
    }
    if (!CheckedMul(elements, n, &elements) || elements > CheckpointLimits::kElements) {
      return Error(Code::kResource, "tensor %s: shape %s has more elements than the limit of %" PRIu64, name,
                   ShapeText(shape).c_str(), CheckpointLimits::kElements);
    }
  }
  info->elements = elements;
  info->shape = std::move(shape);
  return Status();
}

std::vector<uint64_t> ContiguousStrides(const std::vector<uint64_t>& shape) {
  std::vector<uint64_t> strides(shape.size());
  uint64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

void CopyElements(ByteSpan file, const TensorView& view, uint8_t* out) {
  const std::vector<uint64_t>& shape = view.info.shape;
  const uint64_t width = WidthOf(view.info.dtype);
  if (view.info.elements == 0) return;
  if (view.strides == ContiguousStrides(shape)) {
    std::memcpy(out, file.data() + view.offset, view.info.elements * width);
    return;
  }
  std::vector<uint64_t> index(shape.size(), 0);
  uint64_t position = 0;  // of the current element, in elements from view.offset
  for (uint64_t i = 0; i < view.info.elements; ++i, out += width) {
    std::memcpy(out, file.data() + view.offset + position * width, width);
    for (size_t axis = shape.size(); axis-- > 0;) {
      position += view.strides[axis];
      if (++index[axis] < shape[axis]) break;
      position -= view.strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace intsam::internal
