// One file for the results of all photos, which grows as NAME.part and gets its name when it is complete.
#ifndef INTSAM_APPS_BATCH_RESULTS_FILE_H_
#define INTSAM_APPS_BATCH_RESULTS_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "files/append_file.h"
#include "runtime/base/status.h"

namespace intsam::internal {

class ResultsFile {
 public:
  // `head` begins the file, `tail` ends it; records are put between them with a comma where `commas`.
  struct Form {
    std::string_view head, tail;
    bool commas;
  };
  static constexpr Form kCoco = {"[", "\n]\n", true}, kLines = {"", "", false};

  // bytes: how much of it the manifest knows, 0: nothing. What is behind is cut off; without anything known, what a
  // file of that name holds as well. kDamaged when there is less. Errors otherwise as for AppendFile.
  static Result<ResultsFile> Open(const std::string& path, const Form& form, uint64_t bytes);

  // Records, each of which begins with ",\n" where the form has commas (the first one in the file loses it) and ends
  // with
  // "\n" otherwise. On the disk on return.
  Status Append(std::string_view records);
  uint64_t size() const { return file_.size(); }
  const std::string& part_path() const { return file_.path(); }

  // The file gets its name, over one that is there.
  Status Finish();

 private:
  ResultsFile(AppendFile file, std::string path, const Form& form)
      : file_(std::move(file)), path_(std::move(path)), form_(form) {}

  AppendFile file_;
  std::string path_;
  Form form_;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_RESULTS_FILE_H_
