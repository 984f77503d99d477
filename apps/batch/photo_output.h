// Where the masks of one photo go: into files of its own, or as text that the file of all results takes.
#ifndef INTSAM_APPS_BATCH_PHOTO_OUTPUT_H_
#define INTSAM_APPS_BATCH_PHOTO_OUTPUT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "apps/batch/photo_list.h"
#include "apps/batch/settings.h"
#include "apps/batch/write_permits.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/stopwatch.h"
#include "intsam/intsam.hpp"

namespace intsam::internal {

// What a job says of a mask, ready to be written.
struct MaskText {
  std::string values;   // for the columns of metadata.csv
  std::string members;  // of its record in JSON, behind the segmentation
  std::string score;    // a decimal
  int64_t category_id;  // COCO's
};

// One photo's, used by one thread. Made before the photo is read; what has not been finished vanishes with it.
class PhotoOutput {
 public:
  virtual ~PhotoOutput() = default;

  // Before the long work. Errors are those of the photo, such as a class map that does not fit it.
  virtual Status Prepare(const Image& photo) = 0;
  Status AddMask(const intsam_mask* mask, const MaskText& text) {
    return Watched([&] { return Add(mask, text); });
  }
  // Behind the last mask; `session` has the photo.
  Status Finish(Session& session) {
    return Watched([&] { return End(session); });
  }

  // Whether writing has failed, which is no error of the photo.
  bool failed() const { return failed_; }
  double write_ms() const { return write_ms_; }
  size_t masks() const { return masks_; }
  // For the file of all results.
  std::string TakeText() { return std::move(text_); }

 protected:
  virtual Status Add(const intsam_mask* mask, const MaskText& text) = 0;
  virtual Status End(Session& session) = 0;

  size_t masks_ = 0;
  std::string text_;

 private:
  template <class Write>
  Status Watched(Write write) {
    Stopwatch watch;
    Status status = write();
    write_ms_ += watch.LapMs();
    failed_ = failed_ || !status.ok();
    return status;
  }
  bool failed_ = false;
  double write_ms_ = 0;
};

// What all photos of a run have in common.
struct OutputPlace {
  const BatchSettings* settings;
  bool overwrite;       // results of a photo that are there: of a run that was interrupted
  std::string columns;  // of metadata.csv behind "id,"
  WritePermits* permits;
};

// In the form of settings.format.
std::unique_ptr<PhotoOutput> MakePhotoOutput(const OutputPlace& place, const NamedPhoto& photo);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_PHOTO_OUTPUT_H_
