#include "apps/common/output_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <string_view>
#include <tuple>

#include "apps/common/output.h"

namespace intsam::internal {
namespace {

// Equal for two names of one file: device and inode; for a file that does not exist yet, those of its folder and its
// name there.
using Identity = std::tuple<dev_t, ino_t, std::string>;

Result<Identity> IdentityOf(const std::string& path) {
  if (IsStream(path)) return Identity(0, 0, path);
  INTSAM_ASSIGN(const std::string target, FollowLinks(path));
  struct stat entry;
  if (stat(target.c_str(), &entry) == 0) return Identity(entry.st_dev, entry.st_ino, "");
  const size_t name = target.rfind('/') + 1;
  const std::string folder = name == 0 ? "." : target.substr(0, name);
  if (stat(folder.c_str(), &entry) == 0) return Identity(entry.st_dev, entry.st_ino, target.substr(name));
  return Identity(0, 0, target);  // reading or writing it will fail
}

Status CheckStream(const CommonFlags& flags, const NamedFile& output) {
  if (flags.json) {
    return Error(Code::kUsage, "%s: - and --json both mean standard output", output.option.c_str());
  }
#ifndef __EMSCRIPTEN__  // there isatty() says yes to pipes and files
  if (isatty(STDOUT_FILENO) == 1) {
    return Error(Code::kUsage, "%s: - means standard output, which is a terminal here", output.option.c_str());
  }
#endif
  return Status();
}

}  // namespace

bool IsStream(const std::string& path) { return path == "-"; }

Status CheckOutputs(const CommonFlags& flags, const std::vector<NamedFile>& inputs,
                    const std::vector<NamedFile>& outputs) {
  std::map<Identity, const NamedFile*> known_inputs, known_outputs;
  for (const NamedFile& input : inputs) {
    if (IsStream(input.path)) continue;  // standard input, in its place
    INTSAM_ASSIGN(Identity identity, IdentityOf(input.path));
    known_inputs.emplace(std::move(identity), &input);
  }
  for (const NamedFile& output : outputs) {
    if (output.path.empty()) return Error(Code::kUsage, "%s: the name of the file is empty", output.option.c_str());
    INTSAM_ASSIGN(Identity identity, IdentityOf(output.path));
    if (const auto input = known_inputs.find(identity); input != known_inputs.end()) {
      return Status(Code::kUsage, output.option + ": " + output.path + " would be written over " +
                                      input->second->option + ", the same file");
    }
    if (const auto [other, is_new] = known_outputs.emplace(std::move(identity), &output); !is_new) {
      return Status(Code::kUsage, output.option + ": " + output.path + " would be written over " +
                                      other->second->option + ", the same file");
    }
  }
  for (const NamedFile& output : outputs) {
    INTSAM_TRY(IsStream(output.path) ? CheckStream(flags, output) : AtomicFile::Create(output.path).status());
  }
  return Status();
}

Result<OutputFile> OutputFile::Create(const std::string& path) {
  if (IsStream(path)) return OutputFile(std::nullopt);
  INTSAM_ASSIGN(AtomicFile file, AtomicFile::Create(path));
  return OutputFile(std::move(file));
}

Status OutputFile::Write(const void* data, size_t size) {
  if (file_) return file_->Write(data, size);
  Out({static_cast<const char*>(data), size});
  return Status();  // FlushOut has the errors of all writes
}

Status OutputFile::Commit() { return file_ ? file_->Commit() : FlushOut(); }

}  // namespace intsam::internal
