// The files that a call writes: checked together before anything is computed, and written whole.
#ifndef INTSAM_APPS_COMMON_OUTPUT_FILES_H_
#define INTSAM_APPS_COMMON_OUTPUT_FILES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/options.h"
#include "files/atomic_file.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// A file and how the user named it: {"--output", "m.png"}, {"IMAGE", "photo.jpg"}.
struct NamedFile {
  std::string option, path;
};

// Refuses, before the first is written, what would lose something or could not be written at all:
//   kUsage: an empty name; two outputs, or an output and an input, that are one file (links followed; names compared
//           where the file does not exist yet); "-" (standard output) for two outputs, beside --json, or on a terminal;
//   kIo:    an output that cannot be made, found out by making and removing its temporary file.
// Inputs that are folders stand for nothing in them: name the files.
Status CheckOutputs(const CommonFlags& flags, const std::vector<NamedFile>& inputs,
                    const std::vector<NamedFile>& outputs);

// "-", which stands for standard output.
bool IsStream(const std::string& path);

// Standard output for "-", else a file that appears when it is complete (files/atomic_file.h). Used as that: Create,
// Write, Commit, each with the errors of AtomicFile.
class OutputFile {
 public:
  static Result<OutputFile> Create(const std::string& path);
  Status Write(const void* data, size_t size);
  Status Commit();

 private:
  explicit OutputFile(std::optional<AtomicFile> file) : file_(std::move(file)) {}

  std::optional<AtomicFile> file_;  // empty: standard output
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_OUTPUT_FILES_H_
