// A file that grows piece by piece and never loses one: what was appended is on the disk when Append returns, and a
// piece that could not be written whole is cut off again. For journals that a killed process goes on with.
#ifndef INTSAM_FILES_APPEND_FILE_H_
#define INTSAM_FILES_APPEND_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace intsam::internal {

class AppendFile {
 public:
  // Opens a file, or makes an empty one, and locks it while it is open. kIo with errno's text, kUsage when another
  // process has it open. Messages start with the path.
  static Result<AppendFile> Open(const std::string& path);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&&) = delete;
  ~AppendFile();

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

  // kIo: the disk is full, for example. The file then is as it was before.
  Status Append(std::string_view data);
  // Cuts off what is behind `size`; kDamaged when the file is shorter.
  Status Truncate(uint64_t size);

 private:
  AppendFile(std::string path, int descriptor, uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

  std::string path_;
  int descriptor_;
  uint64_t size_;
};

}  // namespace intsam::internal

#endif  // INTSAM_FILES_APPEND_FILE_H_
