// An input as a file, for readers that take no bytes. There is one file, overwritten by each input.
#ifndef INTSAM_TESTS_FUZZ_INPUT_FILE_H_
#define INTSAM_TESTS_FUZZ_INPUT_FILE_H_

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

#include "runtime/base/status.h"
#include "tests/fuzz/fuzz_target.h"

namespace intsam::internal::testing {

class InputFile {
 public:
  InputFile() : file_(mkstemp(path_.data())) { Require(file_ >= 0, "no file for inputs can be made"); }
  ~InputFile() {
    close(file_);
    unlink(path_.c_str());
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // The path of a file with these bytes, until the next call.
  const std::string& With(std::span<const uint8_t> bytes) {
    const auto size = static_cast<ssize_t>(bytes.size());
    // In this order: some file systems write to the disk what follows a file's being emptied.
    Require(pwrite(file_, bytes.data(), bytes.size(), 0) == size && ftruncate(file_, size) == 0, "the disk is full");
    return path_;
  }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "intsam_fuzz_XXXXXX").string();
  int file_;
};

// start: the file's path, or what stands in its place.
inline void RequireRefusal(const Status& status, const std::string& start) {
  Require(status.message().starts_with(start) && status.message().find('\n') == std::string::npos,
          "a refusal is one line that names the file");
}

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_FUZZ_INPUT_FILE_H_
