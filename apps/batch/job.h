// What is done with each photo. A job is made once, before the first photo, and then used by all workers.
#ifndef INTSAM_APPS_BATCH_JOB_H_
#define INTSAM_APPS_BATCH_JOB_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/batch/photo_list.h"
#include "apps/batch/photo_output.h"
#include "apps/batch/settings.h"
#include "intsam/intsam.hpp"
#include "runtime/base/status.h"

namespace intsam::internal {

class Job {
 public:
  virtual ~Job() = default;

  // The columns of metadata.csv behind "id,".
  virtual std::string Columns() const = 0;

  // Hands all masks of a photo to `output`. left_out: boxes that hold nothing of the photo.
  virtual Status Run(const NamedPhoto& photo, const Image& image, Session& session, PhotoOutput& output,
                     size_t& left_out) const = 0;
};

// What a run is about: photos and the job for them.
struct BatchWork {
  std::vector<NamedPhoto> photos;  // all of them, not only those of the shard
  std::unique_ptr<Job> job;
  std::map<int64_t, std::string> classes;  // names of COCO's categories
  std::vector<std::string> notes;          // what the user should know before
};

// Lists the photos and reads the files of the job.
Result<BatchWork> MakeWork(const BatchSettings& settings, const Model& model);

std::unique_ptr<Job> MakeEverythingJob(const BatchSettings& settings);
std::unique_ptr<Job> MakeEmbeddingsJob();
// Takes from `work` the photos that the prompts say nothing about. kUsage for prompts of others.
Status MakePromptsJob(const BatchSettings& settings, const intsam_model_info& model, BatchWork& work);
// Sets the ids of the photos; with annotations, these say which there are.
Status MakeCocoJob(const BatchSettings& settings, const intsam_model_info& model, BatchWork& work);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_JOB_H_
