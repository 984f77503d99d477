#include "apps/common/photos.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace intsam::internal {
namespace {

bool IsPhoto(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool picture = extension == ".png" || extension == ".jpg" || extension == ".jpeg";
  return picture && path.filename().string().find(".labels.") == std::string::npos;
}

}  // namespace

Result<std::vector<std::string>> ListPhotos(const std::string& option, const std::string& folder, size_t limit) {
  std::error_code problem;
  std::vector<std::string> paths;
  for (std::filesystem::directory_iterator entry(folder, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    if (IsPhoto(entry->path())) paths.push_back(entry->path().string());
  }
  if (problem) return Error(Code::kIo, "%s: %s: %s", option.c_str(), folder.c_str(), problem.message().c_str());
  if (paths.empty()) return Error(Code::kUsage, "%s: %s holds no PNG or JPEG photo", option.c_str(), folder.c_str());
  std::sort(paths.begin(), paths.end());
  if (paths.size() > limit) paths.resize(limit);
  return paths;
}

std::string LabelPath(const std::string& folder, const std::string& photo) {
  return (std::filesystem::path(folder) / std::filesystem::path(photo).stem()).string() + ".labels.0.png";
}

}  // namespace intsam::internal
