// intsam-segment: prompts on one photo, masks out. Written against the public C++ API alone, as an embedder would:
// everything between Model::Open and Session::Mask is in this file.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/file_bytes.h"
#include "apps/common/library_call.h"
#include "apps/common/output.h"
#include "apps/common/output_files.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/progress.h"
#include "apps/common/sandbox.h"
#include "apps/common/stopwatch.h"
#include "apps/common/tool.h"
#include "apps/segment/objects.h"
#include "apps/segment/outputs.h"
#include "apps/segment/report.h"
#include "apps/segment/settings.h"
#include "intsam/intsam.hpp"

namespace intsam::internal {
namespace {

constexpr size_t kEmbeddingBytes = size_t{1} << 30;

// "image_encoder.blocks.3.attn" for people: "block 4, attention".
std::string PlainStep(std::string_view name) {
  constexpr std::string_view kBlocks = "image_encoder.blocks.";
  if (!name.starts_with(kBlocks)) return name == "image_encoder.neck" ? "neck" : "patches";
  const std::string_view rest = name.substr(kBlocks.size()), index = rest.substr(0, rest.find('.'));
  const bool attention = rest.substr(index.size()) == ".attn";
  return "block " + std::to_string(std::stoi(std::string(index)) + 1) + (attention ? ", attention" : ", MLP");
}

// One bar over the steps of the encoder and two steps of every object: its prompt answered, its mask written.
class Steps {
 public:
  explicit Steps(bool shown) : bar_("segmenting", shown) {}

  // An intsam_progress.
  static int32_t Show(void* steps, int32_t step, int32_t count, const char* name) {
    static_cast<Steps*>(steps)->Step(static_cast<uint64_t>(step), static_cast<uint64_t>(count), name);
    return 0;
  }
  void SetObjects(size_t objects) { objects_ = objects; }
  void Answered(size_t prompts) { answered_ += prompts; }
  void Written() {
    ++written_;
    Draw(answered_ + written_, written_);
  }

 private:
  void Step(uint64_t step, uint64_t count, const char* name) {
    if (std::string_view(name).starts_with("image")) {
      encoder_ = count;
      bar_.Update(step, encoder_ + 2 * objects_, "image encoder, " + PlainStep(name));
    } else {
      Draw(answered_ + step + written_, answered_ + step);  // of a batch: how many prompts are answered
    }
  }
  void Draw(uint64_t done, uint64_t object) {
    bar_.Update(encoder_ + done, encoder_ + 2 * objects_,
                "object " + std::to_string(std::min(objects_, object + 1)) + " of " + std::to_string(objects_));
  }

  Progress bar_;
  uint64_t objects_ = 0, encoder_ = 0, answered_ = 0, written_ = 0;
};

// Leaves the process what this call reads, and the folders of what it writes.
Status Confine(const SegmentSettings& s) {
  SandboxPaths paths = {{s.model, s.image, s.prompts, s.mask_input, s.embedding}, {}};
  if (!s.prompts.empty()) paths.read.push_back(SandboxFolderOf(s.prompts));  // of masks that they name
  for (const std::string& output : {s.output, s.overlay, s.cutout, s.label_map, s.logits, s.save_embedding}) {
    if (output.empty() || IsStream(output)) continue;
    INTSAM_ASSIGN(const std::string target, FollowLinks(output));
    paths.write.push_back(SandboxFolderOf(target));
  }
  return EnterSandbox(paths);
}

Status CreateSession(const SegmentSettings& settings, const Model& model, Steps& steps, Session& session) {
  intsam_session_options options = SessionOptions(settings.flags.threads, settings.isa);
  options.progress = Steps::Show;
  options.progress_user = &steps;
  return FromOutcome(Session::Create(model, &options, session));
}

Status LoadEmbedding(const std::string& path, const Image* photo, Session& session) {
  INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ReadFileBytes(path, kEmbeddingBytes));
  INTSAM_TRY(FromOutcome(session.LoadEmbedding(bytes)).WithPrefix(path));
  if (photo == nullptr) return Status();
  const Status same = FromOutcome(session.CheckImage(Described(*photo)));
  return same.ok() ? same : Status(same.code(), path + ": was made from another photo: " + same.message());
}

Status SaveEmbedding(const std::string& path, Session& session) {
  std::vector<uint8_t> bytes;
  INTSAM_TRY(FromOutcome(session.SaveEmbedding(bytes)));
  INTSAM_ASSIGN(OutputFile file, OutputFile::Create(path));
  INTSAM_TRY(file.Write(bytes.data(), bytes.size()));
  return file.Commit();
}

// Answers all objects, and hands each mask on as soon as it is made: one is in memory at a time.
Status SegmentObjects(const intsam_model_info& model, Session& session, Steps& steps, Outputs& outputs,
                      SegmentReport& report) {
  const size_t side = static_cast<size_t>(model.low_res_size);
  Stopwatch watch;
  std::vector<uint8_t> mask;
  for (size_t first = 0; first < report.objects.size(); first += kPromptBatch) {
    const size_t count = std::min(kPromptBatch, report.objects.size() - first);
    INTSAM_TRY(PredictObjects(report.objects, first, count, session));
    steps.Answered(count);
    for (size_t result = 0; result < count; ++result) {
      const Object& object = report.objects[first + result];
      Answer answer;
      answer.mask = ChosenMask(object, session, result);
      for (int i = 0; i < model.num_masks; ++i) answer.ious_q15.push_back(session.iou(result, i));
      INTSAM_TRY(FromOutcome(session.Mask(result, answer.mask, mask)));
      report.times.decode_ms += watch.LapMs();
      INTSAM_TRY(outputs.Add(object, mask, {session.low_res(result, answer.mask), side * side}, answer));
      report.answers.push_back(std::move(answer));
      steps.Written();
      report.times.write_ms += watch.LapMs();
    }
  }
  return Status();
}

Status Segment(const SegmentSettings& settings) {
  if (settings.sandbox) INTSAM_TRY(Confine(settings));
  SegmentReport report;
  Stopwatch watch;
  Model model;
  INTSAM_TRY(FromOutcome(Model::Open(settings.model, model)));
  const intsam_model_info info = model.info();
  Steps steps(settings.flags.progress);
  Session session;
  INTSAM_TRY(CreateSession(settings, model, steps, session));
  report.isa = intsam_session_isa(session.get());
  report.threads = intsam_session_threads(session.get());
  report.times.open_ms = watch.LapMs();

  // Everything that can be refused is looked at before the long work.
  Image photo;
  const bool has_photo = !settings.image.empty(), encode = settings.embedding.empty();
  if (has_photo) {
    INTSAM_ASSIGN(photo, ReadImage(settings.image, {.stretch = settings.stretch}));
    for (const std::string& note : photo.notes) Say(settings.flags, "%s: note: %s", SegmentHelp().tool, note.c_str());
  }
  if (!encode) INTSAM_TRY(LoadEmbedding(settings.embedding, has_photo ? &photo : nullptr, session));
  const Size encoded = session.image_size();
  report.photo =
      encode ? photo.size : ImageSize{static_cast<uint32_t>(encoded.width), static_cast<uint32_t>(encoded.height)};
  INTSAM_ASSIGN(report.objects, GatherObjects(settings, info, report.photo));
  Outputs outputs(settings, report.photo, report.objects.size(),
                  {info.low_res_size, info.logit_mantissa, info.logit_shift});
  INTSAM_TRY(outputs.Check(report.objects));
  steps.SetObjects(report.objects.size());
  report.times.read_ms = watch.LapMs();

  if (encode) INTSAM_TRY(FromOutcome(session.SetImage(Described(photo))));
  report.times.encode_ms = watch.LapMs();
  outputs.Keep(std::move(photo));
  if (!settings.save_embedding.empty()) INTSAM_TRY(SaveEmbedding(settings.save_embedding, session));
  report.times.write_ms = watch.LapMs();
  INTSAM_TRY(SegmentObjects(info, session, steps, outputs, report));
  watch.LapMs();
  INTSAM_TRY(outputs.Finish());
  report.times.write_ms += watch.LapMs();
  report.pictures = outputs.Pictures();
  Tell(settings, report);
  return Status();
}

Status Run(int argc, char** argv) {
  return RunWithOptions(SegmentHelp(), SegmentOptions(), argc, argv,
                        [](const cxxopts::ParseResult& parsed, const CommonFlags& flags) -> Status {
                          INTSAM_ASSIGN(const SegmentSettings settings, ReadSettings(parsed, flags));
                          return Segment(settings);
                        });
}

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("intsam-segment", argc, argv, intsam::internal::Run);
}
