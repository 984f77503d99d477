// A file of the import contract that tests take apart, change and write again.
#ifndef INTSAM_TESTS_IMPORT_CONTRACT_FILE_H_
#define INTSAM_TESTS_IMPORT_CONTRACT_FILE_H_

#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "converter/checkpoint/tensor_view.h"
#include "tests/checkpoint/file_writers.h"
#include "tests/checkpoint/test_support.h"

namespace intsam::internal::testing {

inline std::string ImportData(const std::string& name) {
  return std::string(INTSAM_SOURCE_DIR) + "/tests/import/data/" + name + ".safetensors";
}

struct ContractTensor {
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;
  std::string bytes;

  template <class T>
  std::vector<T> Values() const {
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  template <class T>
  void Set(size_t index, T value) {
    std::memcpy(bytes.data() + index * sizeof(T), &value, sizeof(T));
  }
};

template <class T>
ContractTensor MakeTensor(DType dtype, std::vector<uint64_t> shape, const std::vector<T>& values) {
  ContractTensor tensor{dtype, std::move(shape), std::string(values.size() * sizeof(T), '\0')};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

struct ContractFile {
  CheckpointMetadata metadata;
  std::map<std::string, ContractTensor> tensors;

  static ContractFile Load(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    ContractFile file;
    const auto views = ReadSafetensors(AsBytes(text), &file.metadata);
    EXPECT_TRUE(views.ok()) << path << ": " << views.status().message();
    if (!views.ok()) return file;
    for (const TensorView& view : views.value()) {
      file.tensors[view.info.name] = {view.info.dtype, view.info.shape,
                                      text.substr(view.offset, view.info.elements * WidthOf(view.info.dtype))};
    }
    return file;
  }

  std::string Bytes() const {
    nlohmann::json header;
    header["__metadata__"] = metadata;
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      header[name] = {{"dtype", NameOf(tensor.dtype)},
                      {"shape", tensor.shape},
                      {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
      data += tensor.bytes;
    }
    return WriteSafetensors(header.dump(), data);
  }

  ContractTensor& at(const std::string& name) { return tensors.at(name); }

  nlohmann::json Bits() const { return nlohmann::json::parse(metadata.at("site_bits")); }
  void SetBits(const std::string& site, int bits) {
    nlohmann::json all = Bits();
    all[site] = bits;
    metadata["site_bits"] = all.dump();
  }
  void EraseBits(const std::string& site) {
    nlohmann::json all = Bits();
    all.erase(site);
    metadata["site_bits"] = all.dump();
  }
};

// Six bits, AGQ, bimodal signs folded at the three token-to-image attentions.
inline const ContractFile& SixBitFile() {
  static const ContractFile file = ContractFile::Load(ImportData("micro_w6a6"));
  return file;
}

// Eight bits, uniform softmax.
inline const ContractFile& EightBitFile() {
  static const ContractFile file = ContractFile::Load(ImportData("micro_w8a8"));
  return file;
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_IMPORT_CONTRACT_FILE_H_
