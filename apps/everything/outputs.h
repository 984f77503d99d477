// The files of a call. Masks are written when they are handed over, one in memory at a time; of a mask only bits and
// numbers are kept, for the pictures that show all of them.
#ifndef INTSAM_APPS_EVERYTHING_OUTPUTS_H_
#define INTSAM_APPS_EVERYTHING_OUTPUTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/label_map.h"
#include "apps/common/mask_folder.h"
#include "apps/common/mask_records.h"
#include "apps/common/output_files.h"
#include "apps/common/overlay.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/everything/settings.h"
#include "files/atomic_folder.h"

namespace intsam::internal {

class MaskOutputs {
 public:
  // `settings` must outlive the outputs.
  MaskOutputs(const EverythingSettings& settings, ImageSize photo);

  // Before the search. Refuses outputs that would overwrite something, cannot be made, or are too large.
  Status Check() const;

  // Before the first of `count` masks. kResource when these are too many for one of the outputs.
  Status Begin(size_t count);
  Status Add(const intsam_found_mask& found);

  // After the last: completes the files, and draws on `photo`.
  Status Finish(Image& photo);

  const std::vector<FoundRecord>& records() const { return records_; }

 private:
  bool writes_folder() const { return !settings_.output.empty() && settings_.form == MaskForm::kPngs; }
  bool writes_json() const { return !settings_.output.empty() && settings_.form != MaskForm::kPngs; }
  Status WriteRle(const FoundRecord& record, const intsam_mask* mask);

  const EverythingSettings& settings_;
  ImageSize size_, overlay_size_;
  std::vector<FoundRecord> records_;  // of the masks so far
  std::optional<MaskFolder> folder_;
  std::string json_folder_;  // that of the JSON file, where it is missing: it comes with the file
  std::optional<AtomicFolder> new_json_folder_;
  std::optional<OutputFile> json_;
  std::optional<LabelPainter> labels_;
  std::vector<OverlayObject> shown_;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_EVERYTHING_OUTPUTS_H_
