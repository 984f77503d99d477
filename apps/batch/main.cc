// intsam-batch: many photos. Lists them, divides them among workers, and writes what they give in the order of the
// photos, each photo's results before its line of the manifest.
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "apps/batch/about.h"
#include "apps/batch/job.h"
#include "apps/batch/manifest.h"
#include "apps/batch/oriented_files.h"
#include "apps/batch/report.h"
#include "apps/batch/results_file.h"
#include "apps/batch/runner.h"
#include "apps/batch/settings.h"
#include "apps/batch/write_permits.h"
#include "apps/common/library_call.h"
#include "apps/common/output.h"
#include "apps/common/progress.h"
#include "apps/common/sandbox.h"
#include "apps/common/stopwatch.h"
#include "apps/common/tool.h"

namespace intsam::internal {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostNotes = 20;  // about photos that failed; the manifest has all

// "out/results.2-of-8.json", or nothing where each photo has files of its own. Oriented rectangles become files for
// classes in the end.
std::string ResultsPath(const BatchSettings& s) {
  const std::string name = s.out + "/results" + s.shard.Suffix();
  switch (s.format) {
    case BatchFormat::kCoco: return name + ".json";
    case BatchFormat::kJsonLines: return name + ".jsonl";
    case BatchFormat::kOriented: return name + ".txt";
    default: return "";
  }
}

// The file of all results and the journal that says how far it is.
class Journal {
 public:
  static Result<Journal> Open(const BatchSettings& settings, const BatchWork& work,
                              const std::vector<NamedPhoto>& photos) {
    std::error_code error;
    fs::create_directories(settings.out, error);
    if (error) return Status(Code::kIo, "--out: " + settings.out + ": " + error.message());
    INTSAM_ASSIGN(const std::string about, AboutRun(settings));
    INTSAM_ASSIGN(Manifest manifest, Manifest::Open(settings.out + "/manifest" + settings.shard.Suffix() + ".jsonl",
                                                    about, photos, settings.resume));
    Journal journal(settings, work, std::move(manifest));
    const ManifestTotals& totals = journal.manifest_.totals();
    const std::string path = ResultsPath(settings);
    // Where all is done and the part is gone, the process was killed between its end and that of the manifest.
    const bool ended =
        totals.photos == photos.size() && journal.manifest_.resumed() && !fs::exists(path + ".part", error);
    if (path.empty() || totals.complete || ended) return journal;
    const ResultsFile::Form form = settings.format == BatchFormat::kCoco ? ResultsFile::kCoco : ResultsFile::kLines;
    INTSAM_ASSIGN(ResultsFile results, ResultsFile::Open(path, form, totals.results_bytes));
    journal.results_.emplace(std::move(results));
    return journal;
  }

  const Manifest& manifest() const { return manifest_; }

  Status Add(const NamedPhoto& photo, const PhotoOutcome& outcome) {
    if (results_) INTSAM_TRY(results_->Append(outcome.results));
    return manifest_.Append(photo, outcome, results_ ? results_->size() : 0);
  }

  Status Finish() {
    if (manifest_.totals().complete) return Status();
    if (results_ && settings_.format == BatchFormat::kOriented) {
      INTSAM_TRY(WriteOrientedFiles(results_->part_path(), settings_.out, settings_.shard.Suffix(), work_.classes));
      std::remove(results_->part_path().c_str());
    } else if (results_) {
      INTSAM_TRY(results_->Finish());
    }
    return manifest_.AppendEnd();
  }

 private:
  Journal(const BatchSettings& settings, const BatchWork& work, Manifest manifest)
      : settings_(settings), work_(work), manifest_(std::move(manifest)) {}

  const BatchSettings& settings_;
  const BatchWork& work_;
  Manifest manifest_;
  std::optional<ResultsFile> results_;
};

// Leaves the process the folders of the photos, of files that are read with them, and of the results.
Status Confine(const BatchSettings& settings, const std::vector<NamedPhoto>& photos) {
  std::set<std::string> read;
  if (!settings.class_maps.empty()) read.insert(settings.class_maps);
  if (!settings.prompts.empty()) read.insert(SandboxFolderOf(settings.prompts));  // of masks that they name
  std::error_code ignored;
  for (const NamedPhoto& photo : photos) {
    read.insert(SandboxFolderOf(photo.path));
    if (fs::is_symlink(photo.path, ignored)) read.insert(photo.path);
  }
  const SandboxPaths paths = {{read.begin(), read.end()}, {settings.out}};
  return EnterSandbox(paths);
}

// "12.3 photos/s, cat.jpg", of this call.
std::string Speed(size_t done, double ms, const std::string& name) {
  char text[48];
  std::snprintf(text, sizeof text, "%.2f photos/s, ", ms > 0 ? 1000.0 * static_cast<double>(done) / ms : 0.0);
  return text + name;
}

Status RunPhotos(const BatchSettings& settings, const Model& model, const BatchWork& work,
                 const std::vector<NamedPhoto>& photos, Journal& journal, BatchReport& report) {
  const std::span<const NamedPhoto> left = std::span(photos).subspan(report.resumed);
  Progress bar("segmenting", settings.flags.progress);
  bar.Update(0, left.size());
  WritePermits permits;  // before the threads, which inherit what it does to signals
  const OutputPlace place = {&settings, journal.manifest().resumed(), work.job->Columns(), &permits};
  Runner runner(settings, *work.job, left, place);
  INTSAM_TRY(runner.Start(model));
  report.isa = runner.isa();
  report.workers = runner.workers();
  Stopwatch watch;
  double ms = 0;
  size_t noted = 0, unsaid = 0;
  for (size_t done = 0; done < left.size(); ++done) {
    const NamedPhoto& photo = left[done];
    const PhotoOutcome outcome = runner.Next();
    if (!outcome.status.ok()) {
      if (outcome.fatal || !settings.keep_going) return outcome.status;
      if (noted < kMostNotes) {
        Say(settings.flags, "%s: note: %s", BatchHelp().tool, outcome.status.message().c_str());
        ++noted;
      } else {
        ++unsaid;
      }
    }
    INTSAM_TRY(journal.Add(photo, outcome));
    ms += watch.LapMs();
    bar.Update(done + 1, left.size(), Speed(done + 1, ms, photo.name));
  }
  if (unsaid > 0) Say(settings.flags, "%s: note: %zu more like these", BatchHelp().tool, unsaid);
  permits.Poll();
  INTSAM_TRY(journal.Finish());
  permits.Poll();
  report.seconds = ms / 1000;
  return Status();
}

Status RunBatch(const BatchSettings& settings) {
  if (settings.sandbox) INTSAM_TRY(CheckSandbox());
  Model model;
  INTSAM_TRY(FromOutcome(Model::Open(settings.model, model)));
  INTSAM_ASSIGN(const BatchWork work, MakeWork(settings, model));
  if (settings.format == BatchFormat::kOriented) INTSAM_TRY(ClassFileNames(work.classes).status());
  for (const std::string& note : work.notes) Say(settings.flags, "%s: note: %s", BatchHelp().tool, note.c_str());
  std::vector<NamedPhoto> photos;
  for (const NamedPhoto& photo : work.photos) {
    if (settings.shard.Has(photo.name)) photos.push_back(photo);
  }
  INTSAM_ASSIGN(Journal journal, Journal::Open(settings, work, photos));
  BatchReport report;
  report.photos = photos.size();
  report.resumed = journal.manifest().totals().photos;
  report.manifest = journal.manifest().path();
  report.results = settings.format == BatchFormat::kOriented ? "" : ResultsPath(settings);
  if (settings.sandbox) INTSAM_TRY(Confine(settings, photos));  // threads begin behind it
  INTSAM_TRY(RunPhotos(settings, model, work, photos, journal, report));
  report.totals = journal.manifest().totals();
  Tell(settings, report);
  if (report.totals.failed == 0) return Status();
  return Error(Code::kDifference, "%zu of %zu photos failed; %s says why", report.totals.failed, report.photos,
               report.manifest.c_str());
}

Status Run(int argc, char** argv) {
  return RunWithOptions(BatchHelp(), BatchOptions(), argc, argv,
                        [](const cxxopts::ParseResult& parsed, const CommonFlags& flags) -> Status {
                          INTSAM_ASSIGN(const BatchSettings settings, ReadSettings(parsed, flags));
                          return RunBatch(settings);
                        });
}

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) { return intsam::internal::RunTool("intsam-batch", argc, argv, intsam::internal::Run); }
