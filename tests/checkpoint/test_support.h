// What the checkpoint tests share: the assertion on a refused file, temporary files, golden paths, a checkpoint's
// tensors without their values.
#ifndef INTSAM_TESTS_CHECKPOINT_TEST_SUPPORT_H_
#define INTSAM_TESTS_CHECKPOINT_TEST_SUPPORT_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "converter/checkpoint/sam_checkpoint.h"
#include "converter/checkpoint/tensor_view.h"
#include "runtime/base/status.h"

namespace intsam::internal::testing {

// The code, one word of the message, and that the message is one printable line.
inline void ExpectRefused(const Status& status, Code code, const std::string& word) {
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(code)) << status.message();
  EXPECT_NE(status.message().find(word), std::string::npos) << "expected '" << word << "' in: " << status.message();
  for (const char c : status.message()) EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << status.message();
}

inline std::string GoldenPath(const std::string& name) {
  return std::string(INTSAM_SOURCE_DIR) + "/tests/checkpoint/data/" + name;
}

inline SamConfig Preset(const char* name) { return PresetConfig(name).value(); }

inline std::vector<CheckpointTensor> TensorsOf(const SamConfig& config) {
  std::vector<CheckpointTensor> tensors;
  for (const TensorSpec& spec : SamTensorSpecs(config)) {
    CheckpointTensor tensor{spec.name, DType::kF32, {}, 0};
    EXPECT_TRUE(SetShape(spec.shape, &tensor).ok());
    tensors.push_back(tensor);
  }
  return tensors;
}

// A folder that is removed with its contents at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("intsam_checkpoint_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directory(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::string path = (path_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_CHECKPOINT_TEST_SUPPORT_H_
