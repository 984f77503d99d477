// A checkpoint file as a list of named tensors: safetensors, or the zip form of torch.save (.pth, .pt).
// The pickle inside a .pth is interpreted by an inert, fail-closed opcode machine and never executed
// (see pickle.h). Tensors are read one at a time, so that a model is never held twice.
#ifndef INTSAM_CONVERTER_CHECKPOINT_CHECKPOINT_H_
#define INTSAM_CONVERTER_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

// Free text beside the tensors, by key: the __metadata__ of a safetensors file. Nothing in it is checked or trusted.
using CheckpointMetadata = std::map<std::string, std::string, std::less<>>;

enum class DType { kF32, kF16, kBF16, kF64, kI8, kU8, kI16, kI32, kI64, kBool };

struct CheckpointTensor {
  std::string name;  // printable ASCII, at most 128 bytes
  DType dtype;
  std::vector<uint64_t> shape;
  uint64_t elements;  // product of shape, checked
};

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  // Recognises the format by content, not by name. Errors name the file, the field and the reason (kIo, kDamaged,
  // kUnsupported).
  static Result<std::unique_ptr<Checkpoint>> Open(const std::string& path);

  // In file order. The names are unique.
  virtual const std::vector<CheckpointTensor>& tensors() const = 0;

  // Empty for a .pth and where a safetensors file has none.
  virtual const CheckpointMetadata& metadata() const = 0;

  // Copies tensor `index` into `out` (elements floats, C order), converting F32, F16, BF16 or F64 (rounded); other
  // types, and F64 values outside the range of F32, are kUnsupported.
  virtual Status ReadF32(size_t index, float* out) const = 0;

  // Raw little-endian bytes in C order of any type, elements * width of them.
  virtual Status ReadRaw(size_t index, void* out) const = 0;

  // Lower-case hex SHA-256 of the whole file (provenance).
  virtual Result<std::string> Sha256() const = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_CHECKPOINT_H_
