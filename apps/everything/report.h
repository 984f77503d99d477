// What intsam-everything says: words for people, or one JSON object (docs/schema/everything.json).
#ifndef INTSAM_APPS_EVERYTHING_REPORT_H_
#define INTSAM_APPS_EVERYTHING_REPORT_H_

#include <string>
#include <vector>

#include "apps/common/mask_records.h"
#include "apps/everything/settings.h"
#include "runtime/image/resize.h"

namespace intsam::internal {

struct EverythingReport {
  ImageSize photo;
  std::string isa;
  int threads = 0;
  struct {
    double open_ms = 0, read_ms = 0, search_ms = 0, write_ms = 0;
  } times;
  std::vector<FoundRecord> masks;
};

void Tell(const EverythingSettings& settings, const EverythingReport& report);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_EVERYTHING_REPORT_H_
