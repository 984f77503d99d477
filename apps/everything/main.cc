// intsam-everything: all masks of one photo. The search is the library's; here are its options and its files.
#include <unistd.h>

#include <new>
#include <string>
#include <string_view>

#include "apps/common/library_call.h"
#include "apps/common/output.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/progress.h"
#include "apps/common/sandbox.h"
#include "apps/common/stopwatch.h"
#include "apps/common/tool.h"
#include "apps/everything/outputs.h"
#include "apps/everything/report.h"
#include "apps/everything/settings.h"
#include "files/atomic_file.h"
#include "intsam/intsam.hpp"

namespace intsam::internal {
namespace {

// An intsam_progress: points of the grid that are answered.
int32_t ShowPoints(void* bar, int32_t step, int32_t steps, const char* name) {
  const auto done = static_cast<uint64_t>(step), all = static_cast<uint64_t>(steps);
  const bool encoding = std::string_view(name).starts_with("image");
  static_cast<Progress*>(bar)->Update(
      done, all, encoding ? "image encoder" : std::to_string(done) + " of " + std::to_string(all) + " points");
  return 0;
}

// The nearest folder above `path` that exists: those that are missing are made in it.
std::string ExistingFolderOf(const std::string& path) {
  std::string folder = SandboxFolderOf(path);
  while (folder != "." && access(folder.c_str(), F_OK) != 0)
    folder = SandboxFolderOf(folder.substr(0, folder.find_last_not_of('/') + 1));
  return folder;
}

// Leaves the process what this call reads, and the folders of what it writes.
Status Confine(const EverythingSettings& s) {
  SandboxPaths paths = {{s.model, s.image}, {}};
  // A folder of masks is made beside where it goes, and may be a link to one that exists.
  if (s.form == MaskForm::kPngs && !s.output.empty()) paths.write = {ExistingFolderOf(s.output), s.output};
  for (const std::string& output : {s.form == MaskForm::kPngs ? "" : s.output, s.overlay, s.label_map}) {
    if (output.empty() || IsStream(output)) continue;
    INTSAM_ASSIGN(const std::string target, FollowLinks(output));
    paths.write.push_back(ExistingFolderOf(target));
  }
  return EnterSandbox(paths);
}

Status CreateSession(const EverythingSettings& settings, const Model& model, Progress& bar, Session& session) {
  intsam_session_options options = SessionOptions(settings.flags.threads, settings.isa);
  options.progress = ShowPoints;
  options.progress_user = &bar;
  return FromOutcome(Session::Create(model, &options, session));
}

// Hands each mask on as soon as the library gives it.
Status Search(const EverythingSettings& settings, const Image& photo, Session& session, Progress& bar,
              MaskOutputs& outputs, Stopwatch& watch, EverythingReport& report) {
  Status written;
  bool begun = false;
  const auto take = [&](const intsam_found_mask& found, int index, int count) -> Status {
    if (!begun) {
      report.times.search_ms = watch.LapMs();
      bar.Restart("writing");
      INTSAM_TRY(outputs.Begin(static_cast<size_t>(count)));
      begun = true;
    }
    bar.Update(static_cast<uint64_t>(index), static_cast<uint64_t>(count),
               "mask " + std::to_string(index + 1) + " of " + std::to_string(count));
    return outputs.Add(found);
  };
  const intsam_image image = Described(photo);
  const auto hand_on = [&](const intsam_found_mask& found, int index, int count) noexcept {
    try {
      written = take(found, index, count);
    } catch (const std::bad_alloc&) {  // no exception may pass through the library
      written = Status(Code::kResource, "out of memory");
    }
    return written.ok();
  };
  const Status searched = FromOutcome(session.Everything(&image, &settings.options, hand_on));
  INTSAM_TRY(written);  // the library only says that it was told to stop
  INTSAM_TRY(searched);
  if (begun) return Status();
  report.times.search_ms = watch.LapMs();
  return outputs.Begin(0);
}

Status FindEverything(const EverythingSettings& settings) {
  if (settings.sandbox) INTSAM_TRY(Confine(settings));
  EverythingReport report;
  Stopwatch watch;
  Model model;
  INTSAM_TRY(FromOutcome(Model::Open(settings.model, model)));
  Progress bar("searching", settings.flags.progress);
  Session session;
  INTSAM_TRY(CreateSession(settings, model, bar, session));
  report.isa = intsam_session_isa(session.get());
  report.threads = intsam_session_threads(session.get());
  report.times.open_ms = watch.LapMs();

  INTSAM_ASSIGN(Image photo, ReadImage(settings.image, {.stretch = settings.stretch}));
  for (const std::string& note : photo.notes) Say(settings.flags, "%s: note: %s", EverythingHelp().tool, note.c_str());
  report.photo = photo.size;
  MaskOutputs outputs(settings, photo.size);
  INTSAM_TRY(outputs.Check());
  report.times.read_ms = watch.LapMs();

  INTSAM_TRY(Search(settings, photo, session, bar, outputs, watch, report));
  INTSAM_TRY(outputs.Finish(photo));
  report.times.write_ms = watch.LapMs();
  report.masks = outputs.records();
  bar.Clear();
  Tell(settings, report);
  return Status();
}

Status Run(int argc, char** argv) {
  return RunWithOptions(EverythingHelp(), EverythingToolOptions(), argc, argv,
                        [](const cxxopts::ParseResult& parsed, const CommonFlags& flags) -> Status {
                          INTSAM_ASSIGN(const EverythingSettings settings, ReadSettings(parsed, flags));
                          return FindEverything(settings);
                        });
}

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("intsam-everything", argc, argv, intsam::internal::Run);
}
