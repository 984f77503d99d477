// Folders of photos: what is a photo, in which order, reading them one after the other, and which label map belongs to
// which.
#ifndef INTSAM_APPS_COMMON_PHOTOS_H_
#define INTSAM_APPS_COMMON_PHOTOS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/common/photo/photo_reader.h"
#include "runtime/base/status.h"

namespace intsam::internal {

// What counts as a photo of a folder: see ListPhotos.
bool IsPhotoFile(const std::filesystem::path& path);

// What is in a folder, in no order. Not by std::filesystem::directory_iterator, whose constructor ends the process
// where there is no memory for it (GCC 12).
std::error_code ListFolder(const std::filesystem::path& folder, std::vector<std::filesystem::path>& paths);
// Why a folder could not be listed: kIo, or kResource.
Status CannotList(const std::string& folder, const std::error_code& problem);

// The photos of a folder, sorted by name, at most `limit`: regular files (or links to them) whose names end as
// pictures' do (.png, .jpg, .webp, .tif, .heic and their like, in any case), do not begin with a dot and are no label
// maps (NAME.labels.K.png). kUsage when there are none, with what is there; `option` names where the folder came from.
Result<std::vector<std::string>> ListPhotos(const std::string& option, const std::string& folder, size_t limit);

struct FolderOptions {
  size_t limit = SIZE_MAX;  // photos to read at most; those skipped do not count
  bool strict = false;      // a photo that cannot be read is an error, not skipped
  bool stretch = false;     // as ReadOptions
};

// Reads the photos of a folder one after the other. One that cannot be read is skipped, with a note that names it.
//
//   INTSAM_ASSIGN(PhotoFolder folder, PhotoFolder::Open("--images", path, options));
//   while (true) {
//     INTSAM_ASSIGN(const std::optional<PhotoFolder::Photo> photo, folder.Next());
//     if (!photo) break;
//   }
//   (print folder.notes())
class PhotoFolder {
 public:
  struct Photo {
    std::string path;
    Image image;
  };

  static Result<PhotoFolder> Open(const std::string& option, const std::string& folder, const FolderOptions& options);
  // The same of photos that something else has listed.
  static PhotoFolder Of(const std::string& option, std::vector<std::string> paths, const FolderOptions& options) {
    return PhotoFolder(option, std::move(paths), options);
  }

  // Nothing behind the last one. With `strict` the error of a photo; without, of the first one if none could be read.
  Result<std::optional<Photo>> Next();

  size_t most() const { return std::min(paths_.size(), options_.limit); }  // photos to come at most, for progress
  // What the user should know about the photos and those skipped, one sentence each. Complete when Next gives nothing.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  PhotoFolder(std::string option, std::vector<std::string> paths, const FolderOptions& options)
      : option_(std::move(option)), paths_(std::move(paths)), options_(options) {}
  Status Finish();
  void Note(std::string sentence);

  std::string option_;
  std::vector<std::string> paths_;
  FolderOptions options_;
  size_t at_ = 0, read_ = 0, skipped_ = 0, unsaid_ = 0;
  bool finished_ = false;
  Status first_failure_;
  std::vector<std::string> notes_;
};

// FOLDER/NAME.labels.0.png for photo .../NAME.jpg: the first annotator's region map.
std::string LabelPath(const std::string& folder, const std::string& photo);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_PHOTOS_H_
