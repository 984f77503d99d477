// Options of intsam-batch and the rules between them.
#include "apps/batch/settings.h"

#include <algorithm>

#include "apps/common/everything_options.h"
#include "apps/common/limits.h"
#include "apps/common/photo_options.h"
#include "apps/common/prompt_objects.h"
#include "runtime/base/cpu.h"
#include "runtime/everything/options.h"

namespace intsam::internal {
namespace {

struct Named {
  const char* name;
  int value;
};

// The value that an option names; the first one without the option.
template <class T, size_t n>
Result<T> Choose(const cxxopts::ParseResult& parsed, const char* option, const Named (&choices)[n]) {
  const std::string text = TextOption(parsed, option);
  if (parsed.count(option) == 0) return static_cast<T>(choices[0].value);
  std::string names;
  for (const Named& choice : choices) {
    if (text == choice.name) return static_cast<T>(choice.value);
    names += (names.empty() ? "" : ", ") + std::string(choice.name);
  }
  return Status(Code::kUsage, "--" + std::string(option) + ": '" + text.substr(0, 40) + "' is none of " + names);
}

Result<BatchJob> JobOf(const cxxopts::ParseResult& parsed) {
  const struct {
    const char* option;
    BatchJob job;
  } jobs[] = {{"auto", BatchJob::kEverything},
              {"prompts", BatchJob::kPrompts},
              {"detections", BatchJob::kCoco},
              {"prompt", BatchJob::kCoco},
              {"embeddings", BatchJob::kEmbeddings}};
  const char* found = nullptr;
  BatchJob job = BatchJob::kEverything;
  for (const auto& candidate : jobs) {
    if (parsed.count(candidate.option) == 0) continue;
    if (found != nullptr && !(job == BatchJob::kCoco && candidate.job == job))
      return Error(Code::kUsage, "--%s: does not go with --%s", candidate.option, found);
    found = candidate.option;
    job = candidate.job;
  }
  if (found != nullptr) return job;
  return UsageError(BatchHelp(), "what to do is missing: --auto, --prompts, --detections, --prompt or --embeddings");
}

Result<BatchFormat> FormatOf(const cxxopts::ParseResult& parsed, BatchJob job) {
  static constexpr Named kFormats[] = {{"png", static_cast<int>(BatchFormat::kPngs)},
                                       {"rle", static_cast<int>(BatchFormat::kRle)},
                                       {"coco", static_cast<int>(BatchFormat::kCoco)},
                                       {"jsonl", static_cast<int>(BatchFormat::kJsonLines)}};
  const bool oriented = parsed.count("oriented") != 0, semantic = parsed.count("semantic") != 0;
  const bool embeddings = job == BatchJob::kEmbeddings;
  if (parsed.count("format") != 0 && (oriented || semantic || embeddings)) {
    return Error(Code::kUsage, "--format: does not go with --%s, which has a form of its own",
                 oriented   ? "oriented"
                 : semantic ? "semantic"
                            : "embeddings");
  }
  if (oriented && job != BatchJob::kCoco)
    return Error(Code::kUsage, "--oriented: goes with --detections and --prompt, which know classes");
  if (semantic && job != BatchJob::kEverything) return Error(Code::kUsage, "--semantic: goes with --auto");
  if (oriented) return BatchFormat::kOriented;
  if (semantic) return BatchFormat::kClassMaps;
  if (embeddings) return BatchFormat::kEmbeddings;
  if (job == BatchJob::kCoco && parsed.count("format") == 0) return BatchFormat::kCoco;
  return Choose<BatchFormat>(parsed, "format", kFormats);
}

// What the library would say of every photo.
Status CheckRanges(const intsam_everything_options& o) {
  return CheckEverythingOptions({o.points_per_side, o.points_per_batch, o.pred_iou_thresh, o.stability_score_thresh,
                                 o.stability_score_offset, o.box_nms_thresh, o.crop_n_layers, o.crop_nms_thresh,
                                 o.crop_overlap_ratio, o.crop_n_points_downscale_factor, o.min_mask_region_area});
}

// Options that mean something for some jobs only.
Status CheckOwners(const cxxopts::ParseResult& parsed, const BatchSettings& s) {
  for (const char* option : {"annotations", "score", "cascade", "min-score", "max-dets"}) {
    if (parsed.count(option) != 0 && s.job != BatchJob::kCoco)
      return Error(Code::kUsage, "--%s: goes with --detections and --prompt", option);
  }
  if (parsed.count("select") != 0 && s.job != BatchJob::kCoco && s.job != BatchJob::kPrompts)
    return Error(Code::kUsage, "--select: goes with --prompts, --detections and --prompt");
  return Status();
}

Status ReadCocoSettings(const cxxopts::ParseResult& parsed, BatchSettings& s) {
  static constexpr Named kPrompts[] = {{"box", static_cast<int>(CocoPrompt::kDetections)},
                                       {"gt-box", static_cast<int>(CocoPrompt::kBoxes)},
                                       {"center-point", static_cast<int>(CocoPrompt::kCenters)}};
  static constexpr Named kScores[] = {{"product", static_cast<int>(CocoScore::kProduct)},
                                      {"detector", static_cast<int>(CocoScore::kDetector)},
                                      {"iou", static_cast<int>(CocoScore::kIou)}};
  INTSAM_TRY(TakeFile(parsed, "detections", s.detections));
  INTSAM_TRY(TakeFile(parsed, "annotations", s.annotations));
  INTSAM_ASSIGN(s.coco_prompt, Choose<CocoPrompt>(parsed, "prompt", kPrompts));
  INTSAM_ASSIGN(s.score, Choose<CocoScore>(parsed, "score", kScores));
  if (parsed.count("score") == 0 && s.format == BatchFormat::kOriented) s.score = CocoScore::kDetector;
  s.cascade = parsed.count("cascade") != 0;
  if (s.coco_prompt == CocoPrompt::kDetections && s.detections.empty())
    return Error(Code::kUsage, "--prompt: box needs --detections; gt-box and center-point need --annotations");
  if (s.coco_prompt != CocoPrompt::kDetections) {
    if (!s.detections.empty()) return Error(Code::kUsage, "--prompt: --detections goes with box alone");
    if (s.annotations.empty()) return Error(Code::kUsage, "--prompt: gt-box and center-point need --annotations");
  }
  if (!s.annotations.empty() && (s.sources.inputs.size() != 1 || !s.sources.list.empty()))
    return Error(Code::kUsage, "--annotations: goes with one folder, in which it names the photos");
  if (parsed.count("min-score") != 0) {
    INTSAM_ASSIGN(s.min_score, ParseDecimal("--min-score", TextOption(parsed, "min-score"), 30, Rounding::kDown));
  }
  if (parsed.count("max-dets") != 0) {
    INTSAM_ASSIGN(const int64_t most, ParseInteger("--max-dets", TextOption(parsed, "max-dets"), 1, INT32_MAX));
    s.max_detections = static_cast<size_t>(most);
  }
  return Status();
}

// Jobs times threads is what the process may use, as far as the user leaves it open.
Status ReadWorkers(const cxxopts::ParseResult& parsed, BatchSettings& s) {
  const int cores = AvailableThreads();
  int jobs = 0;
  if (parsed.count("jobs") != 0) {
    INTSAM_ASSIGN(const int64_t count, ParseInteger("--jobs", TextOption(parsed, "jobs"), 1, kBatchJobs));
    jobs = static_cast<int>(count);
  }
  s.threads = s.flags.threads > 0 ? s.flags.threads : jobs > 0 ? std::max(1, cores / jobs) : 1;
  s.jobs = jobs > 0 ? jobs : std::clamp(cores / s.threads, 1, static_cast<int>(kBatchJobs));
  return Status();
}

}  // namespace

const ToolHelp& BatchHelp() {
  static const std::string kSummary =
      "Segments many photos: everything in them, given prompts, or the boxes of a detector.\n"
      "IN: photos, folders of photos, and patterns such as 'photos/*.jpg'.\n"
      "Photos: " +
      PhotoHelp() +
      ".\n"
      "Results come into the folder --out, and with them manifest.jsonl, a line for each photo.";
  static const ToolHelp kHelp = {
      "intsam-batch", kSummary.c_str(), "MODEL IN...",
      "intsam-batch vit_b.isam photos --auto --out masks --keep-going\n"
      "intsam-batch vit_b.isam photos --prompts prompts.jsonl --format jsonl --out masks --resume\n"
      "intsam-batch vit_b.isam val2017 --annotations instances_val2017.json \\\n"
      "  --detections boxes.json --out coco\n"
      "intsam-batch vit_b.isam --list photos.txt --auto --format rle --shard 2/8 --out masks"};
  return kHelp;
}

cxxopts::Options BatchOptions() {
  cxxopts::Options options(BatchHelp().tool);
  const auto text = [] { return cxxopts::value<std::string>(); };
  auto add = options.add_options();
  add("model", "model file (.isam)", text());
  add("in", "photos, folders, patterns", cxxopts::value<std::vector<std::string>>());
  add("list", "a file with the path of a photo on each line; - for standard input", text(), "FILE");
  add("recursive", "also photos of folders in folders");
  add("limit", "only the first N photos", text(), "N");
  add("o,out", "folder of results; made where it is missing", text(), "DIR");
  add("auto", "find all objects, with the options of intsam-everything below");
  add("prompts", "a file with a line for each photo: {\"image\": NAME, \"prompts\": [...]} (docs/tools.md)", text(),
      "FILE");
  add("detections", "boxes of a detector as COCO's results: image_id, category_id, bbox, score", text(), "FILE");
  add("prompt", "box of --detections; or gt-box or center-point: of the boxes of --annotations", text(), "WHAT");
  add("embeddings", "only encode, into NAME.isemb for intsam-segment --embedding");
  add("format",
      "png: a folder for each photo; rle: NAME.json; jsonl: one file with a line for each photo; coco: one file of "
      "COCO's results (png; coco for --detections and --prompt)",
      text(), "FORM");
  add("oriented", "instead: rectangles of least area in DOTA's form, Task1_CLASS.txt");
  add("semantic", "instead: class maps NAME.png, those of this folder with the classes of masks", text(), "DIR");
  add("annotations", "COCO's annotations: names the photos of the folder IN, and what they show", text(), "FILE");
  add("select", "which mask of an object: auto, best or an index, as for intsam-segment", text()->default_value("auto"),
      "WHICH");
  add("cascade", "ask again with the mask that a box gave");
  add("score", "of a mask: product of the detector's and the predicted IoU, detector, or iou", text(), "WHICH");
  add("min-score", "only detections with at least this score", text(), "X");
  add("max-dets", "only the N best detections of each photo", text(), "N");
  add("j,jobs", "photos at a time, each with --threads threads; without, what the CPUs allow", text(), "N");
  add("shard", "only part I of N, for N processes on one folder of results", text(), "I/N");
  add("resume", "go on with what is in --out");
  add("keep-going", "note a photo that fails in the manifest and go on");
  AddTierOption(options);
  AddSandboxOption(options);
  AddEverythingOptions(options);
  AddPhotoOptions(options);
  AddCommonOptions(options);
  options.parse_positional({"model", "in"});
  return options;
}

Result<BatchSettings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  BatchSettings s;
  s.flags = flags;
  s.model = TextOption(parsed, "model");
  for (const auto& argument : parsed.arguments()) {
    if (argument.key() == "in") s.sources.inputs.push_back(argument.value());  // cxxopts would split them at commas
  }
  INTSAM_TRY(TakeFile(parsed, "list", s.sources.list));
  INTSAM_TRY(TakeFile(parsed, "out", s.out));
  s.sources.recursive = parsed.count("recursive") != 0;
  s.sources.out = s.out;
  if (s.model.empty() || (s.sources.inputs.empty() && s.sources.list.empty()))
    return UsageError(BatchHelp(), "MODEL and IN are needed");
  if (s.out.empty()) return Error(Code::kUsage, "--out: the folder of results is missing");
  INTSAM_ASSIGN(s.job, JobOf(parsed));
  INTSAM_ASSIGN(s.format, FormatOf(parsed, s.job));
  INTSAM_TRY(CheckOwners(parsed, s));
  INTSAM_TRY(TakeFile(parsed, "prompts", s.prompts));
  INTSAM_TRY(TakeFile(parsed, "semantic", s.class_maps));
  if (s.job == BatchJob::kCoco) INTSAM_TRY(ReadCocoSettings(parsed, s));
  s.select = TextOption(parsed, "select");
  INTSAM_TRY(CheckSelect(s.select));
  for (const std::string* file : {&s.prompts, &s.detections, &s.annotations}) {
    if (*file == "-") return Error(Code::kUsage, "only --list can be -, standard input");
  }
  INTSAM_ASSIGN(s.everything, EverythingOptionsOf(parsed));
  INTSAM_TRY(CheckRanges(s.everything));
  if (parsed.count("limit") != 0) {
    INTSAM_ASSIGN(const int64_t limit, ParseInteger("--limit", TextOption(parsed, "limit"), 1, INT32_MAX));
    s.limit = static_cast<size_t>(limit);
  }
  if (parsed.count("shard") != 0) {
    INTSAM_ASSIGN(s.shard, ParseShard(TextOption(parsed, "shard")));
  }
  s.resume = parsed.count("resume") != 0;
  s.keep_going = parsed.count("keep-going") != 0;
  s.stretch = ReadOptionsOf(parsed).stretch;
  s.isa = TextOption(parsed, "isa");
  s.sandbox = parsed.count("sandbox") != 0;
  INTSAM_TRY(ReadWorkers(parsed, s));
  return s;
}

}  // namespace intsam::internal
