#include "apps/batch/photo_list.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <new>
#include <string_view>

#include "apps/common/file_bytes.h"
#include "apps/common/limits.h"
#include "apps/common/photos.h"

namespace intsam::internal {
namespace {

namespace fs = std::filesystem;

Status TooMany() {
  return Error(Code::kResource, "more than %zu photos; divide them among several folders of results", kBatchPhotos);
}

bool IsFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool IsHidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// Where links cannot be followed, what the words of the path say.
fs::path Canonical(const fs::path& path) {
  std::error_code ignored, problem;
  const fs::path absolute = fs::absolute(path, ignored);
  fs::path canonical = fs::weakly_canonical(absolute, problem);
  if (problem == std::errc::not_enough_memory) throw std::bad_alloc();
  if (problem) canonical = absolute.lexically_normal();
  return canonical.has_filename() ? canonical : canonical.parent_path();
}

class Lister {
 public:
  explicit Lister(const PhotoSources& sources) : sources_(sources), out_(Canonical(sources.out)) {}

  Status AddInput(const std::string& input) {
    std::error_code error;
    if (IsFolder(input)) return AddFolder(input);
    const bool pattern = input.find_first_of("*?[") != std::string::npos;
    if (pattern && !fs::exists(input, error)) return AddPattern(input);
    return Add({fs::path(input).filename().string(), input});
  }

  Status AddList(const std::string& path) {
    INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ReadFileBytes(path, kBatchListBytes));
    std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (size_t number = 1; !rest.empty(); ++number) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      std::string line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.ends_with('\r')) line.pop_back();
      if (line.empty()) continue;
      if (line.find('\0') != std::string::npos)
        return Error(Code::kDamaged, "%s: line %zu: a zero byte", path.c_str(), number);
      INTSAM_TRY(Add({NameInList(line), line}));
    }
    return Status();
  }

  Result<std::vector<NamedPhoto>> Finish() {
    if (photos_.empty()) return Error(Code::kUsage, "there is no photo to work on");
    std::map<std::string_view, const NamedPhoto*> names;
    for (const NamedPhoto& photo : photos_) {
      const auto [other, is_new] = names.emplace(photo.name, &photo);
      if (is_new) continue;
      return Status(Code::kUsage, photo.path + " and " + other->second->path + " are both called " + photo.name +
                                      "; a folder with --recursive, or --list, tells them apart");
    }
    INTSAM_TRY(CheckOutsideOf(sources_.out, photos_));
    return std::move(photos_);
  }

 private:
  static std::string NameInList(const std::string& line) {
    const fs::path path = fs::path(line).lexically_normal().relative_path();
    fs::path name;
    for (const fs::path& part : path) {
      if (part != "..") name /= part;
    }
    return name.string();
  }

  Status Add(NamedPhoto photo) {
    if (photos_.size() == kBatchPhotos) return TooMany();
    photos_.push_back(std::move(photo));
    return Status();
  }

  // Photos below folder/inside, with their names relative to `folder`.
  Status Walk(const fs::path& folder, const fs::path& inside, std::vector<NamedPhoto>& found) {
    std::vector<fs::path> folders;
    std::vector<fs::path> entries;
    const std::error_code problem = ListFolder(folder / inside, entries);
    for (const fs::path& entry : entries) {
      const fs::path name = entry.filename();
      std::error_code ignored;
      if (IsPhotoFile(entry)) {
        if (found.size() == kBatchPhotos) return TooMany();
        found.push_back({(inside / name).string(), entry.string()});
      } else if (sources_.recursive && fs::is_directory(entry, ignored) && !fs::is_symlink(entry, ignored) &&
                 !IsHidden(name) && Canonical(entry) != out_) {
        folders.push_back(inside / name);
      }
    }
    // A folder may go while its parent is being read.
    if (problem && !(problem == std::errc::no_such_file_or_directory && !inside.empty()))
      return CannotList((folder / inside).string(), problem);
    for (const fs::path& next : folders) INTSAM_TRY(Walk(folder, next, found));
    return Status();
  }

  Status AddFolder(const std::string& folder) {
    std::vector<NamedPhoto> found;
    INTSAM_TRY(Walk(folder, {}, found));
    if (found.empty()) {
      return Status(Code::kUsage, folder + ": holds no photo" +
                                      (sources_.recursive ? "" : "; --recursive looks into the folders in it, too"));
    }
    std::sort(found.begin(), found.end(), [](const NamedPhoto& a, const NamedPhoto& b) { return a.name < b.name; });
    for (NamedPhoto& photo : found) INTSAM_TRY(Add(std::move(photo)));
    return Status();
  }

  Status AddPattern(const std::string& pattern) {
    glob_t matches = {};
    const int failed = glob(pattern.c_str(), 0, nullptr, &matches);  // sorted
    std::vector<std::string> paths;
    for (size_t i = 0; failed == 0 && i < matches.gl_pathc; ++i) paths.emplace_back(matches.gl_pathv[i]);
    globfree(&matches);
    if (failed == GLOB_NOSPACE) throw std::bad_alloc();
    size_t added = 0;
    for (const std::string& path : paths) {
      if (!IsPhotoFile(path)) continue;
      INTSAM_TRY(Add({fs::path(path).filename().string(), path}));
      ++added;
    }
    return added > 0 ? Status() : Status(Code::kUsage, pattern + ": no photo has such a name");
  }

  const PhotoSources& sources_;
  const fs::path out_;
  std::vector<NamedPhoto> photos_;
};

}  // namespace

Result<std::vector<NamedPhoto>> ListPhotosOf(const PhotoSources& sources) {
  Lister lister(sources);
  for (const std::string& input : sources.inputs) INTSAM_TRY(lister.AddInput(input));
  if (!sources.list.empty()) INTSAM_TRY(lister.AddList(sources.list));
  return lister.Finish();
}

Status CheckOutsideOf(const std::string& results, const std::vector<NamedPhoto>& photos) {
  const fs::path out = Canonical(results);
  std::map<fs::path, bool> folders;  // whether they lie in the results
  for (const NamedPhoto& photo : photos) {
    // Only its folder is resolved: the photo itself may be a link to anywhere.
    const auto [folder, is_new] = folders.emplace(fs::path(photo.path).parent_path(), false);
    if (is_new) {
      const fs::path place = Canonical(folder->first.empty() ? "." : folder->first);
      folder->second = std::mismatch(out.begin(), out.end(), place.begin(), place.end()).first == out.end();
    }
    if (folder->second)
      return Status(Code::kUsage, "--out: " + photo.path + " lies in the folder of results, " + results);
  }
  return Status();
}

std::string Stem(const std::string& name) {
  const size_t file = name.rfind('/') + 1, dot = name.rfind('.');
  return dot == std::string::npos || dot <= file ? name : name.substr(0, dot);
}

Status CheckStems(const std::vector<NamedPhoto>& photos) {
  std::map<std::string, const NamedPhoto*> stems;
  for (const NamedPhoto& photo : photos) {
    const auto [other, is_new] = stems.emplace(Stem(photo.name), &photo);
    if (is_new) continue;
    return Status(Code::kUsage, "the results of " + other->second->name + " and " + photo.name +
                                    " would have one name, " + other->first + "; --format jsonl keeps them apart");
  }
  return Status();
}

}  // namespace intsam::internal
