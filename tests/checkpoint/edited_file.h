// A safetensors file made from another one, tensor by tensor.
#ifndef INTSAM_TESTS_CHECKPOINT_EDITED_FILE_H_
#define INTSAM_TESTS_CHECKPOINT_EDITED_FILE_H_

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/file_writers.h"

namespace intsam::internal::testing {

struct FileTensor {
  std::string name, dtype;
  std::vector<uint64_t> shape;
  std::string bytes;

  // As F32.
  float* values() { return reinterpret_cast<float*>(bytes.data()); }
};

inline std::string WriteTensors(const std::vector<FileTensor>& tensors) {
  std::string header = "{", data;
  for (const FileTensor& t : tensors) {
    header += std::string(header.size() > 1 ? "," : "") + "\"" + t.name + "\":{\"dtype\":\"" + t.dtype +
              "\",\"shape\":" + ShapeText(t.shape) +
              ",\"data_offsets\":" + ShapeText({data.size(), data.size() + t.bytes.size()}) + "}";
    data += t.bytes;
  }
  return WriteSafetensors(header + "}", data);
}

inline std::vector<FileTensor> ReadTensors(const std::string& path) {
  std::vector<FileTensor> tensors;
  auto file = Checkpoint::Open(path);
  EXPECT_TRUE(file.ok()) << file.status().message();
  if (!file.ok()) return tensors;
  for (size_t i = 0; i < (*file)->tensors().size(); ++i) {
    const CheckpointTensor& info = (*file)->tensors()[i];
    FileTensor tensor{info.name, NameOf(info.dtype), info.shape, std::string(info.elements * WidthOf(info.dtype), 0)};
    EXPECT_TRUE((*file)->ReadRaw(i, tensor.bytes.data()).ok());
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

// The file at `path`; `edit` changes each tensor, and drops it by emptying its name.
inline std::string EditedFile(const std::string& path, const std::function<void(FileTensor*)>& edit) {
  std::vector<FileTensor> kept;
  for (FileTensor& tensor : ReadTensors(path)) {
    edit(&tensor);
    if (!tensor.name.empty()) kept.push_back(std::move(tensor));
  }
  return WriteTensors(kept);
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_CHECKPOINT_EDITED_FILE_H_
