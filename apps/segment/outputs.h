// The files of a call. Masks and logits are written when their object is answered; of an object only bits and numbers
// are kept, for the pictures that show all of them.
#ifndef INTSAM_APPS_SEGMENT_OUTPUTS_H_
#define INTSAM_APPS_SEGMENT_OUTPUTS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/bit_mask.h"
#include "apps/common/label_map.h"
#include "apps/common/logits_npy.h"
#include "apps/common/overlay.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/segment/objects.h"
#include "apps/segment/settings.h"

namespace intsam::internal {

// What came out for one object.
struct Answer {
  int mask = 0;                   // the index that was chosen
  std::vector<int> ious_q15;      // of every mask
  MaskExtent extent;              // of the chosen one
  std::string file, logits_file;  // as written; empty: not
};

class Outputs {
 public:
  // `settings` must outlive the outputs.
  Outputs(const SegmentSettings& settings, ImageSize photo, size_t objects, const LogitForm& logits);

  // Refuses outputs that would overwrite something, cannot be made, are too large, or need too much memory together.
  Status Check(const std::vector<Object>& objects) const;

  // Makes ready for Add: takes what overlay and cut-out need of the photo.
  void Keep(Image photo);

  // `mask`: a byte per pixel of the photo; `logits`: those of the same mask. In the order of the objects.
  Status Add(const Object& object, const std::vector<uint8_t>& mask, std::span<const int16_t> logits, Answer& answer);

  // Writes the pictures that show all objects.
  Status Finish();

  // What these are called, and their files: {"overlay", "o.png"}.
  std::vector<std::pair<std::string, std::string>> Pictures() const;

 private:
  // m.png for the only object, m_3.png for the third of several.
  std::string Numbered(const std::string& path, size_t index) const;
  Status CheckSizes() const;
  Status WriteCutout() const;
  Status WriteOverlay();

  const SegmentSettings& settings_;
  ImageSize size_, overlay_size_;
  size_t count_;
  LogitForm logits_;
  size_t added_ = 0;
  std::vector<OverlayObject> shown_;
  Image small_photo_;  // for an overlay that is smaller than the photo
  Image photo_;        // for the cut-out, and for an overlay of the same size
  BitMask all_;        // what any mask covers, for the cut-out
  std::optional<LabelPainter> labels_;
};

}  // namespace intsam::internal

#endif  // INTSAM_APPS_SEGMENT_OUTPUTS_H_
