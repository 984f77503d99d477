#include "apps/batch/results_file.h"

#include <cerrno>
#include <cstdio>

#include "files/temporary.h"

namespace intsam::internal {

Result<ResultsFile> ResultsFile::Open(const std::string& path, const Form& form, uint64_t bytes) {
  INTSAM_ASSIGN(AppendFile file, AppendFile::Open(path + ".part"));
  INTSAM_TRY(file.Truncate(bytes));
  if (bytes == 0 && !form.head.empty()) INTSAM_TRY(file.Append(form.head));
  return ResultsFile(std::move(file), path, form);
}

Status ResultsFile::Append(std::string_view records) {
  if (records.empty()) return Status();
  if (form_.commas && size() == form_.head.size()) records.remove_prefix(1);
  return file_.Append(records);
}

Status ResultsFile::Finish() {
  if (!form_.tail.empty()) INTSAM_TRY(file_.Append(form_.tail));
  if (std::rename(part_path().c_str(), path_.c_str()) != 0) return IoError(path_, "cannot rename into place", errno);
  SyncDirectoryOf(path_);
  return Status();
}

}  // namespace intsam::internal
