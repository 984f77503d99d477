// What intsam-batch says at the end: words for people, or one JSON object (docs/schema/batch.json).
#ifndef INTSAM_APPS_BATCH_REPORT_H_
#define INTSAM_APPS_BATCH_REPORT_H_

#include <cstddef>
#include <string>

#include "apps/batch/manifest.h"
#include "apps/batch/settings.h"

namespace intsam::internal {

struct BatchReport {
  size_t photos = 0;   // of this shard
  size_t resumed = 0;  // of them, those that an earlier call has done
  ManifestTotals totals;
  double seconds = 0;
  std::string isa;
  int workers = 0;
  std::string manifest, results;  // files; results: empty where each photo has its own
};

void Tell(const BatchSettings& settings, const BatchReport& report);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_REPORT_H_
