#include "apps/batch/job.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace intsam::internal {

Result<BatchWork> MakeWork(const BatchSettings& settings, const Model& model) {
  BatchWork work;
  if (settings.annotations.empty()) {
    INTSAM_ASSIGN(work.photos, ListPhotosOf(settings.sources));
  }
  switch (settings.job) {
    case BatchJob::kEverything: work.job = MakeEverythingJob(settings); break;
    case BatchJob::kEmbeddings: work.job = MakeEmbeddingsJob(); break;
    case BatchJob::kPrompts: INTSAM_TRY(MakePromptsJob(settings, model.info(), work)); break;
    case BatchJob::kCoco: INTSAM_TRY(MakeCocoJob(settings, model.info(), work)); break;
  }
  if (!settings.annotations.empty()) INTSAM_TRY(CheckOutsideOf(settings.out, work.photos));
  std::error_code ignored;
  if (!settings.class_maps.empty() && std::filesystem::equivalent(settings.class_maps, settings.out, ignored))
    return Status(Code::kUsage, "--out: " + settings.out + " is the folder of --semantic, which would be written over");
  work.photos.resize(std::min(work.photos.size(), settings.limit));
  const bool own_files = settings.format == BatchFormat::kPngs || settings.format == BatchFormat::kRle ||
                         settings.format == BatchFormat::kClassMaps || settings.format == BatchFormat::kEmbeddings;
  if (own_files) INTSAM_TRY(CheckStems(work.photos));
  return work;
}

}  // namespace intsam::internal
