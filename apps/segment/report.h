// What intsam-segment says: words for people, or one JSON object (docs/schema/segment.json).
#ifndef INTSAM_APPS_SEGMENT_REPORT_H_
#define INTSAM_APPS_SEGMENT_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "apps/segment/objects.h"
#include "apps/segment/outputs.h"
#include "apps/segment/settings.h"

namespace intsam::internal {

struct Times {
  double open_ms = 0, read_ms = 0, encode_ms = 0, decode_ms = 0, write_ms = 0;
};

struct SegmentReport {
  ImageSize photo;
  std::string isa;
  int threads = 0;
  Times times;
  std::vector<Object> objects;
  std::vector<Answer> answers;                                // one for each object
  std::vector<std::pair<std::string, std::string>> pictures;  // what, and its file
};

void Tell(const SegmentSettings& settings, const SegmentReport& report);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_SEGMENT_REPORT_H_
