// A model file in memory for tests: bytes that can be changed, with their checksums made right again, and the places of
// named fields and tensors in them. Needs the runtime alone; the files are the committed ones of tests/golden/data.
#ifndef INTSAM_TESTS_FORMAT_MODEL_BYTES_H_
#define INTSAM_TESTS_FORMAT_MODEL_BYTES_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "runtime/format/isam.h"
#include "runtime/sam/config.h"

namespace intsam::internal::testing {

// Exactly sized and 64-byte aligned, so that a sanitizer sees any access past the end.
class ModelBytes {
 public:
  explicit ModelBytes(std::span<const uint8_t> bytes);
  ModelBytes(const ModelBytes& other) : ModelBytes(std::span<const uint8_t>(other)) {}
  ModelBytes(ModelBytes&&) = default;
  ModelBytes& operator=(ModelBytes&&) = default;

  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  uint8_t& operator[](size_t i) { return data_[i]; }
  operator std::span<const uint8_t>() const { return {data_.get(), size_}; }

  isam::Header header() const;
  void set_header(const isam::Header& header);
  isam::DirectoryEntry entry(size_t index) const;
  void set_entry(size_t index, const isam::DirectoryEntry& entry);
  void set_field(size_t index, int64_t value);
  int64_t field(size_t index) const;
  // Bytes of the tensor that directory entry `index` describes.
  uint8_t* tensor(size_t index);

 private:
  struct Free {
    void operator()(uint8_t* p) const { ::operator delete[](p, std::align_val_t{limits::kAlignment}); }
  };
  std::unique_ptr<uint8_t[], Free> data_;
  size_t size_;
};

// Makes the checksums right: of the header and of those of the named sections that lie inside the bytes. That of the
// data is not looked at on opening.
void Reseal(ModelBytes& bytes,
            std::initializer_list<int> sections = {isam::kFields, isam::kProvenance, isam::kDirectory});

// Bytes cut or extended with zeros.
ModelBytes Resized(const ModelBytes& bytes, size_t size);

// The four sections of a file as separate bytes, to be put together again with a right layout and right checksums.
struct ModelParts {
  std::vector<uint8_t> sections[isam::kSections];
  uint32_t tensors;
  explicit ModelParts(const ModelBytes& bytes);
  ModelBytes Join() const;
};

// Dotted names in file order: position i is field i, or directory entry i.
struct ModelNames {
  std::vector<std::string> fields, tensors;
  explicit ModelNames(const SamConfig& config);  // of a model whose decoder projects image rows
  explicit ModelNames(const ModelBytes& bytes);
  size_t field(const std::string& name) const;
  size_t tensor(const std::string& name) const;
};

// tests/golden/data/NAME.isam: "micro" and "mobile" (PresetConfig), "odd" and "mobile_odd" (dimensions that divide
// nothing), "tokens" (odd, of two decoder layers whose projections are on the tokens' side), and further codings of the
// first two.
std::string GoldenModelPath(const std::string& name);
const ModelBytes& GoldenModel(const std::string& name);
SamConfig OddConfig();
SamConfig OddMobileConfig();

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FORMAT_MODEL_BYTES_H_
