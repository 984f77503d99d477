// Which photos a call is about: photos, folders, patterns and lists become names and paths, in a fixed order.
#ifndef INTSAM_APPS_BATCH_PHOTO_LIST_H_
#define INTSAM_APPS_BATCH_PHOTO_LIST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace intsam::internal {

struct NamedPhoto {
  std::string name;     // tells it from the others, and names its results: relative, with '/', never above its folder
  std::string path;     // to be read
  int64_t coco_id = 0;  // of jobs about COCO files
};

struct PhotoSources {
  std::vector<std::string> inputs;  // photos, folders, patterns (glob)
  std::string list;                 // a file with a path on each line, "-" for standard input; empty: none
  bool recursive = false;           // also folders in folders; links to folders are not followed
  std::string out;                  // the folder of results, which is passed over
};

// Inputs in the order in which they are given, then the list; the photos of a folder in the order of their names. A
// photo of a folder is named by its path in that folder, one given itself by its file name, one of the list by its path
// as written there, without what leads out of the current folder ("/" and ".." at its beginning).
// kUsage when there are none, when two have one name, and for a photo in the folder of results; kIo for what cannot be
// read, kResource above kBatchPhotos (limits.h).
Result<std::vector<NamedPhoto>> ListPhotosOf(const PhotoSources& sources);

// kUsage for a photo in the folder of results, over which or beside which results would be written.
Status CheckOutsideOf(const std::string& results, const std::vector<NamedPhoto>& photos);

// A name without the ending of its file, as results are called: trip/cat.v2.jpg -> trip/cat.v2.
std::string Stem(const std::string& name);

// kUsage when two photos would have their results in one place.
Status CheckStems(const std::vector<NamedPhoto>& photos);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_PHOTO_LIST_H_
