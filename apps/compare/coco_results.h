// Both models on the boxes of COCO's annotations, as files of COCO's results for intsam-coco to measure.
#ifndef INTSAM_APPS_COMPARE_COCO_RESULTS_H_
#define INTSAM_APPS_COMPARE_COCO_RESULTS_H_

#include <cstddef>
#include <string>

#include "apps/common/options.h"
#include "converter/fp32/float_sam.h"
#include "runtime/base/status.h"
#include "runtime/exec/session.h"

namespace intsam::internal {

struct CocoComparison {
  std::string annotations, images;        // a file, and the folder of its photos
  std::string fp32_results, int_results;  // to be written
  size_t limit;                           // photos
  bool stretch;
};

// Asks both models about every box but those of crowds, cut at its photo, and takes mask 0 with its predicted IoU as
// the score. Boxes without an inside are left out. A photo that cannot be read is an error: without it both would score
// less.
Status WriteCocoResults(const CocoComparison& comparison, const CommonFlags& flags, Session& session,
                        FloatSam& reference);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMPARE_COCO_RESULTS_H_
