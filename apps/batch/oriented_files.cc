#include "apps/batch/oriented_files.h"

#include <charconv>
#include <set>
#include <string_view>

#include "apps/common/file_bytes.h"
#include "files/atomic_file.h"

namespace intsam::internal {
namespace {

// Calls take(id, line without the id) for each.
template <class Take>
Status ForEachResult(const std::string& path, const Take& take) {
  return ForEachLine(path, [&](std::string_view line) -> Status {
    int64_t id = 0;
    const size_t tab = line.find('\t');
    const char* end = line.data() + (tab == std::string_view::npos ? 0 : tab);
    if (std::from_chars(line.data(), end, id).ptr != end || tab == std::string_view::npos)
      return Status(Code::kDamaged, path + ": not a line of this tool");
    return take(id, std::string(line.substr(tab + 1)) + "\n");
  });
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

Result<std::map<int64_t, std::string>> ClassFileNames(const std::map<int64_t, std::string>& classes) {
  constexpr size_t kMostBytes = 200;  // of a name of a file there are 255
  std::map<int64_t, std::string> names;
  std::set<std::string> taken;
  for (const auto& [id, name] : classes) {
    std::string plain = name.substr(0, kMostBytes);
    for (char& c : plain) c = IsPlain(c) ? c : '_';
    if (!taken.insert(plain).second)
      return Status(Code::kUsage, "--oriented: two categories would have one file, Task1_" + plain + ".txt");
    names.emplace(id, std::move(plain));
  }
  return names;
}

Status WriteOrientedFiles(const std::string& lines, const std::string& folder, const std::string& suffix,
                          const std::map<int64_t, std::string>& classes) {
  INTSAM_ASSIGN(auto names, ClassFileNames(classes));
  INTSAM_TRY(ForEachResult(lines, [&names](int64_t id, const std::string&) {
    names.emplace(id, std::to_string(id));
    return Status();
  }));
  for (const auto& [id, name] : names) {
    std::string path = folder;
    path.append("/Task1_").append(name).append(suffix).append(".txt");
    INTSAM_ASSIGN(AtomicFile file, AtomicFile::Create(path));
    INTSAM_TRY(ForEachResult(lines, [&file, wanted = id](int64_t found, const std::string& line) {
      return found == wanted ? file.Write(line.data(), line.size()) : Status();
    }));
    INTSAM_TRY(file.Commit());
  }
  return Status();
}

}  // namespace intsam::internal
