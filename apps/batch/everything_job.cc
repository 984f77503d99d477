// Everything mode, and encoding alone: the jobs that ask nothing about a photo.
#include <new>

#include "apps/batch/job.h"
#include "apps/common/library_call.h"
#include "apps/common/mask_records.h"

namespace intsam::internal {
namespace {

class EverythingJob : public Job {
 public:
  explicit EverythingJob(const intsam_everything_options& options) : options_(options) {}

  std::string Columns() const override { return MetadataColumns(); }

  Status Run(const NamedPhoto&, const Image& image, Session& session, PhotoOutput& output, size_t&) const override {
    Status written;
    const auto add = [&](const intsam_found_mask& found) {
      const FoundRecord record = RecordOf(found);
      return output.AddMask(found.mask, {MetadataValues(record), RecordMembers(record), PredictedIouText(record), 1});
    };
    const auto hand_on = [&](const intsam_found_mask& found, int, int) noexcept {
      try {
        written = add(found);
      } catch (const std::bad_alloc&) {  // no exception may pass through the library
        written = Status(Code::kResource, "out of memory");
      }
      return written.ok();
    };
    const intsam_image described = Described(image);
    Status searched = FromOutcome(session.Everything(&described, &options_, hand_on));
    INTSAM_TRY(written);  // the library only says that it was told to stop
    return searched;
  }

 private:
  const intsam_everything_options options_;
};

class EmbeddingsJob : public Job {
 public:
  std::string Columns() const override { return ""; }
  Status Run(const NamedPhoto&, const Image& image, Session& session, PhotoOutput&, size_t&) const override {
    return FromOutcome(session.SetImage(Described(image)));  // the output takes the embedding from the session
  }
};

}  // namespace

std::unique_ptr<Job> MakeEverythingJob(const BatchSettings& settings) {
  return std::make_unique<EverythingJob>(settings.everything);
}

std::unique_ptr<Job> MakeEmbeddingsJob() { return std::make_unique<EmbeddingsJob>(); }

}  // namespace intsam::internal
