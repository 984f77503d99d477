// A committed model with some of its values changed, and what reading it must say.
#ifndef INTSAM_TESTS_FORMAT_EDITED_MODEL_H_
#define INTSAM_TESTS_FORMAT_EDITED_MODEL_H_

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "runtime/format/reader.h"
#include "tests/format/model_bytes.h"

namespace intsam::internal::testing {

inline void ExpectRefused(const ModelBytes& bytes, Code code, const std::string& word) {
  const Status status = ReadModel(bytes).status();
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(code))
      << "expected '" << word << "', got: " << status.message();
  EXPECT_NE(status.message().find(word), std::string::npos) << "expected '" << word << "' in: " << status.message();
}

inline void ExpectTaken(const ModelBytes& bytes) {
  const Status status = ReadModel(bytes).status();
  EXPECT_TRUE(status.ok()) << status.message();
}

using FieldValues = std::vector<std::pair<std::string, int64_t>>;

// Of one committed model.
struct EditedModels {
  std::string name;
  ModelNames names;

  EditedModels(const std::string& model, const SamConfig& config) : name(model), names(config) {}
  explicit EditedModels(const std::string& model) : name(model), names(GoldenModel(model)) {}

  ModelBytes WithFields(const FieldValues& values) const {
    ModelBytes bytes = GoldenModel(name);
    for (const auto& [field, value] : values) bytes.set_field(names.field(field), value);
    Reseal(bytes, {isam::kFields});
    return bytes;
  }
  // Sets element `index` of a tensor.
  template <class T>
  void SetElement(ModelBytes& bytes, const std::string& tensor, size_t index, T value) const {
    std::memcpy(bytes.tensor(names.tensor(tensor)) + index * sizeof value, &value, sizeof value);
  }
  template <class T>
  ModelBytes WithElement(const std::string& tensor, size_t index, T value) const {
    ModelBytes bytes = GoldenModel(name);
    SetElement(bytes, tensor, index, value);
    return bytes;
  }
};

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FORMAT_EDITED_MODEL_H_
