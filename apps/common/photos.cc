#include "apps/common/photos.h"

#include <dirent.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <memory>
#include <string_view>

namespace intsam::internal {
namespace {

namespace fs = std::filesystem;

// Of all formats, whatever this build reads: a photo that is there but cannot be read should be named, not overlooked.
constexpr std::string_view kExtensions[] = {".png", ".jpg",  ".jpeg", ".jpe",  ".jfif", ".webp",
                                            ".tif", ".tiff", ".heic", ".heif", ".avif"};
constexpr size_t kMostNotes = 20;  // about single photos

Status NoPhoto(const std::string& option, const std::string& folder, const std::vector<std::string>& others) {
  std::string there = "is empty";
  if (!others.empty()) {
    const std::string& first = *std::min_element(others.begin(), others.end());
    there = "holds no photo but " + (others.size() == 1
                                         ? "'" + first + "'"
                                         : std::to_string(others.size()) + " other entries such as '" + first + "'");
  }
  std::string extensions;
  for (const std::string_view extension : kExtensions) extensions += " " + std::string(extension);
  return Status(Code::kUsage,
                option + ": " + folder + " " + there + " (photos are files that end in" + extensions + ")");
}

}  // namespace

bool IsPhotoFile(const fs::path& path) {
  const std::string name = path.filename().string();
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::error_code ignored;
  return std::find(std::begin(kExtensions), std::end(kExtensions), extension) != std::end(kExtensions) &&
         name.front() != '.' && name.find(".labels.") == std::string::npos && fs::is_regular_file(path, ignored);
}

std::error_code ListFolder(const fs::path& folder, std::vector<fs::path>& paths) {
  const auto last_error = [] { return std::error_code(errno, std::generic_category()); };
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), closedir);
  if (opened == nullptr) return last_error();
  while (true) {
    errno = 0;
    const dirent* entry = readdir(opened.get());
    if (entry == nullptr) return last_error();
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") paths.push_back(folder / name);
  }
}

Status CannotList(const std::string& folder, const std::error_code& problem) {
  const Code code = problem == std::errc::not_enough_memory ? Code::kResource : Code::kIo;
  return Status(code, folder + ": " + problem.message());
}

Result<std::vector<std::string>> ListPhotos(const std::string& option, const std::string& folder, size_t limit) {
  std::vector<std::string> paths, others;
  std::vector<fs::path> entries;
  const std::error_code problem = ListFolder(folder, entries);
  for (const fs::path& entry : entries) {
    if (IsPhotoFile(entry)) {
      paths.push_back(entry.string());
    } else {
      others.push_back(entry.filename().string());
    }
  }
  if (problem) return CannotList(option + ": " + folder, problem);
  if (paths.empty()) return NoPhoto(option, folder, others);
  std::sort(paths.begin(), paths.end());
  if (paths.size() > limit) paths.resize(limit);
  return paths;
}

Result<PhotoFolder> PhotoFolder::Open(const std::string& option, const std::string& folder,
                                      const FolderOptions& options) {
  INTSAM_ASSIGN(std::vector<std::string> paths, ListPhotos(option, folder, SIZE_MAX));
  return PhotoFolder(option, std::move(paths), options);
}

Result<std::optional<PhotoFolder::Photo>> PhotoFolder::Next() {
  while (at_ < paths_.size() && read_ < options_.limit) {
    const std::string& path = paths_[at_++];
    Result<Image> image = ReadImage(path, {.stretch = options_.stretch, .regular_file = true});
    if (image.ok()) {
      ++read_;
      for (const std::string& note : image->notes) Note(note);
      return std::optional<Photo>({path, std::move(image).value()});
    }
    if (options_.strict) return image.status();
    if (skipped_++ == 0) first_failure_ = image.status();
    Note("skipped: " + image.status().message());
  }
  if (!finished_) INTSAM_TRY(Finish());
  return std::optional<Photo>();
}

Status PhotoFolder::Finish() {
  finished_ = true;
  if (read_ == 0) {
    return Status(first_failure_.code(), option_ + ": none of " + std::to_string(skipped_) +
                                             " photos could be read; the first: " + first_failure_.message());
  }
  if (unsaid_ > 0) notes_.push_back(option_ + ": " + std::to_string(unsaid_) + " more notes like these");
  if (skipped_ > 0) {
    notes_.push_back(option_ + ": " + std::to_string(skipped_) + " of " + std::to_string(at_) +
                     " photos were skipped (--strict makes this an error)");
  }
  return Status();
}

void PhotoFolder::Note(std::string sentence) {
  if (notes_.size() < kMostNotes) {
    notes_.push_back(std::move(sentence));
  } else {
    ++unsaid_;
  }
}

std::string LabelPath(const std::string& folder, const std::string& photo) {
  return (fs::path(folder) / fs::path(photo).stem()).string() + ".labels.0.png";
}

}  // namespace intsam::internal
