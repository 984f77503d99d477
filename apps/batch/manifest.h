// The journal of a run: a line of JSON for what it is about, then one for each photo that is done, in the order of the
// photos, and one at the end (docs/schema/batch_manifest.json). Each line is on the disk before the next photo is
// counted as done, so a run that was killed goes on from its manifest.
#ifndef INTSAM_APPS_BATCH_MANIFEST_H_
#define INTSAM_APPS_BATCH_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "apps/batch/photo_list.h"
#include "files/append_file.h"
#include "runtime/base/status.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

// What became of a photo.
struct PhotoOutcome {
  Status status;       // an error of the photo itself
  bool fatal = false;  // status is about something else, which the next photo would meet as well: a full disk
  ImageSize size;      // 0 x 0: not known
  size_t masks = 0;
  size_t left_out = 0;  // boxes that hold nothing of the photo
  std::vector<std::string> notes;
  struct {
    double read_ms = 0, segment_ms = 0, write_ms = 0;
  } times;
  std::string results;  // what comes into the file of all results
};

struct ManifestTotals {
  size_t photos = 0, failed = 0, masks = 0, left_out = 0;
  uint64_t results_bytes = 0;  // of the file of all results
  bool complete = false;       // the line at the end is there
};

class Manifest {
 public:
  // Begins a manifest with the line `about` (about.h), or with `resume` goes on with the one that is there: kUsage when
  // it is about something else, or its photos are not the first ones of `photos`. Without `resume` one that is there is
  // refused. What a killed process has left of a line is cut off. Errors otherwise as for AppendFile.
  static Result<Manifest> Open(const std::string& path, const std::string& about, const std::vector<NamedPhoto>& photos,
                               bool resume);

  bool resumed() const { return resumed_; }  // it was there already
  const ManifestTotals& totals() const { return totals_; }
  const std::string& path() const { return file_.path(); }

  // results_bytes: how long the file of all results is now.
  Status Append(const NamedPhoto& photo, const PhotoOutcome& outcome, uint64_t results_bytes);
  Status AppendEnd();

 private:
  explicit Manifest(AppendFile file) : file_(std::move(file)) {}
  Status Read(const std::string& about, const std::vector<NamedPhoto>& photos);
  Status TakeLine(std::string_view line, const std::vector<NamedPhoto>& photos);

  AppendFile file_;
  ManifestTotals totals_;
  bool resumed_ = false;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_MANIFEST_H_
