// A folder of masks in the original package's form: 0.png, 1.png, ... and metadata.csv with a line for each, without a
// newline at its end. It appears when it is complete (files/atomic_folder.h).
#ifndef INTSAM_APPS_COMMON_MASK_FOLDER_H_
#define INTSAM_APPS_COMMON_MASK_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "files/atomic_folder.h"
#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

class MaskFolder {
 public:
  // Errors as for AtomicFolder. columns: the header of metadata.csv behind "id,".
  static Result<MaskFolder> Create(const std::string& path, bool overwrite, const std::string& columns);

  // mask: a byte per pixel, 0 outside; values: for the columns.
  Status Add(const uint8_t* mask, ImageSize size, const std::string& values);

  // Into a folder that exists: masks with higher numbers, which metadata.csv no longer knows, are removed.
  Status Commit();

 private:
  MaskFolder(AtomicFolder folder, std::string path, std::string metadata)
      : folder_(std::move(folder)), path_(std::move(path)), metadata_(std::move(metadata)) {}

  AtomicFolder folder_;
  std::string path_, metadata_;
  size_t count_ = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_MASK_FOLDER_H_
