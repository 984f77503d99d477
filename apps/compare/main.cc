// intsam-compare: how far the integer model is from the float reference, and both from human masks.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/common/options.h"
#include "apps/common/output.h"
#include "apps/common/output_files.h"
#include "apps/common/photo_options.h"
#include "apps/common/progress.h"
#include "apps/common/tool.h"
#include "apps/compare/coco_results.h"
#include "converter/verify/evaluate.h"

namespace intsam::internal {
namespace {

constexpr ToolHelp kHelp = {
    "intsam-compare", "Compares an integer model with the float checkpoint it came from, and both with human masks.",
    "--model MODEL --checkpoint CHECKPOINT --images DIR",
    "intsam-compare -m vit_b.isam --checkpoint sam_vit_b_01ec64.pth --images photos\n"
    "intsam-compare -m vit_b.isam --checkpoint sam_vit_b.pth --images photos --labels photos --json"};

cxxopts::Options MakeOptions() {
  const auto text = [] { return cxxopts::value<std::string>(); };
  cxxopts::Options options(kHelp.tool);
  auto add = options.add_options();
  add("m,model", "model file (.isam)", text(), "FILE");
  add("checkpoint", "checkpoint file (.pth, .safetensors)", text(), "FILE");
  add("config", "JSON configuration beside the checkpoint's shapes; without, CHECKPOINT with .json if that is there",
      text(), "FILE");
  add("images", "folder of photos: " + PhotoHelp(), text(), "DIR");
  add("labels", "folder of region maps NAME.labels.0.png (8 or 16-bit gray PNG): IoU with human masks", text(), "DIR");
  add("coco", "COCO's annotations of the photos: both models on its boxes, for intsam-coco to measure", text(), "FILE");
  add("coco-results", "with --coco: writes DIR/fp32.json and DIR/int.json", text(), "DIR");
  add("limit", "use at most this many photos", text()->default_value("100000"), "N");
  AddTierOption(options);
  add("min-agreement", "exit with 1 when the mean mask agreement of points or boxes is below this percentage",
      text()->default_value("0"), "PERCENT");
  AddFolderOptions(options);
  AddCommonOptions(options);
  return options;
}

nlohmann::ordered_json KindJson(const KindScore& kind, bool labelled) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  json["prompts"] = kind.prompts;
  if (labelled) {
    json["miou_fp32"] = kind.mean.iou_fp32;
    json["miou_int"] = kind.mean.iou_int;
    json["oracle_miou_fp32"] = kind.mean.oracle_fp32;
    json["oracle_miou_int"] = kind.mean.oracle_int;
  }
  json["mask_agreement"] = kind.mean.agreement;
  json["worst_agreement"] = kind.worst_agreement;
  return json;
}

void PrintTable(const Evaluation& e, const Session& session) {
  OutF("%d photos; relative L2 error: embedding %.4f, mask logits %.4f\n", e.images, e.embedding_error, e.logit_error);
  OutF("image encoder, seconds per photo: float reference %.3f, intsam %.3f (%s, %d threads)\n",
       e.fp32_encode_s / e.images, e.int_encode_s / e.images, session.kernels().name, session.threads());
  OutF("%-6s %8s %10s %10s %10s %10s\n", "", "prompts", "mIoU FP32", "mIoU int", "agreement", "worst");
  for (const auto& [name, kind] : {std::pair<const char*, const KindScore&>{"point", e.point}, {"box", e.box}}) {
    if (e.labelled) {
      OutF("%-6s %8d %10.4f %10.4f %10.4f %10.4f\n", name, kind.prompts, kind.mean.iou_fp32, kind.mean.iou_int,
           kind.mean.agreement, kind.worst_agreement);
    } else {
      OutF("%-6s %8d %10s %10s %10.4f %10.4f\n", name, kind.prompts, "-", "-", kind.mean.agreement,
           kind.worst_agreement);
    }
  }
  if (e.labelled)
    OutF("best of three alternatives (point): FP32 %.4f, int %.4f\n", e.point.mean.oracle_fp32,
         e.point.mean.oracle_int);
}

void PrintJson(const Evaluation& e, const Session& session) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  json["images"] = e.images;
  json["point"] = KindJson(e.point, e.labelled);
  json["box"] = KindJson(e.box, e.labelled);
  json["embedding_relative_l2"] = e.embedding_error;
  json["logits_relative_l2"] = e.logit_error;
  json["fp32_encode_s"] = e.fp32_encode_s / e.images;
  json["int_encode_s"] = e.int_encode_s / e.images;
  json["isa"] = session.kernels().name;
  json["threads"] = session.threads();
  Out(DumpJson(json));
}

Status AddPhoto(const cxxopts::ParseResult& parsed, const PhotoFolder::Photo& photo, Evaluator& evaluator) {
  const Image& image = photo.image;
  if (parsed.count("labels") == 0) return evaluator.Add(image.rgb.data(), image.size, nullptr);
  const std::string path = LabelPath(TextOption(parsed, "labels"), photo.path);
  INTSAM_ASSIGN(const LabelMap map, ReadLabels(path));
  if (map.size != image.size) {
    return Error(Code::kDamaged, "%s: %u x %u pixels, the photo has %u x %u", path.c_str(), map.size.width,
                 map.size.height, image.size.width, image.size.height);
  }
  return evaluator.Add(image.rgb.data(), image.size, &map.labels);
}

Status EvaluatePhotos(const cxxopts::ParseResult& parsed, const CommonFlags& flags, Evaluator& evaluator) {
  INTSAM_ASSIGN(const int64_t limit, ParseInteger("--limit", parsed["limit"].as<std::string>(), 1, 100000));
  INTSAM_ASSIGN(PhotoFolder folder, PhotoFolder::Open("--images", TextOption(parsed, "images"),
                                                      FolderOptionsOf(parsed, static_cast<size_t>(limit))));
  Progress bar("comparing", flags.progress);
  constexpr uint64_t kPerPhoto = 1000;
  uint64_t done = 0;
  std::string name;
  const auto show = [&](uint64_t part) {
    bar.Update(done * kPerPhoto + part, uint64_t{folder.most()} * kPerPhoto, name);
  };
  evaluator.set_progress([&](uint64_t step, uint64_t steps, const std::string&) { show(step * kPerPhoto / steps); });
  for (show(0);; show(0)) {
    INTSAM_ASSIGN(const std::optional<PhotoFolder::Photo> photo, folder.Next());
    if (!photo) break;
    name = photo->path;
    show(0);
    INTSAM_TRY(AddPhoto(parsed, *photo, evaluator));
    ++done;
  }
  evaluator.set_progress({});
  bar.Update(1, 1);
  for (const std::string& note : folder.notes()) Say(flags, "%s: note: %s", kHelp.tool, note.c_str());
  return Status();
}

// Precision is measured by a Python package (apps/coco), so this tool only writes what it measures.
Status CompareOnCoco(const cxxopts::ParseResult& parsed, const CommonFlags& flags, Session& session,
                     FloatSam& reference) {
  INTSAM_ASSIGN(const int64_t limit, ParseInteger("--limit", TextOption(parsed, "limit"), 1, 100000));
  const std::string folder = TextOption(parsed, "coco-results");
  const CocoComparison comparison = {TextOption(parsed, "coco"), TextOption(parsed, "images"),
                                     folder + "/fp32.json",      folder + "/int.json",
                                     static_cast<size_t>(limit), parsed.count("stretch") != 0};
  INTSAM_TRY(CheckOutputs(flags, {{"--coco", comparison.annotations}},
                          {{"--coco-results", comparison.fp32_results}, {"--coco-results", comparison.int_results}}));
  INTSAM_TRY(WriteCocoResults(comparison, flags, session, reference));
  if (flags.json) {
    Out(DumpJson({{"annotations", comparison.annotations},
                  {"fp32_results", comparison.fp32_results},
                  {"int_results", comparison.int_results}}));
  } else {
    Say(flags, "%s, %s; intsam-coco %s %s --annotations %s measures them", comparison.fp32_results.c_str(),
        comparison.int_results.c_str(), comparison.fp32_results.c_str(), comparison.int_results.c_str(),
        comparison.annotations.c_str());
  }
  return Status();
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  for (const char* needed : {"model", "checkpoint", "images"}) {
    if (parsed.count(needed) == 0) return UsageError(kHelp, std::string("--") + needed + " is missing");
  }
  INTSAM_ASSIGN(const int64_t least,
                ParseInteger("--min-agreement", parsed["min-agreement"].as<std::string>(), 0, 100));

  if (parsed.count("coco") != parsed.count("coco-results"))
    return Error(Code::kUsage, "--coco: the annotations, and --coco-results: a folder, go together");
  if (parsed.count("coco") != 0 && parsed.count("labels") != 0)
    return Error(Code::kUsage, "--coco: does not go with --labels");

  INTSAM_ASSIGN(const auto model, Model::Open(parsed["model"].as<std::string>()));
  const std::string checkpoint = parsed["checkpoint"].as<std::string>();
  INTSAM_ASSIGN(const FloatModel weights, LoadFloatModel(checkpoint, TextOption(parsed, "config")));
  if (!(weights.config == model->config()))
    return Error(Code::kUsage, "%s: has another configuration than the model", checkpoint.c_str());
  const std::string isa = TextOption(parsed, "isa");
  SessionOptions session_options;
  session_options.threads = flags.threads;
  session_options.isa = isa.c_str();
  INTSAM_ASSIGN(const auto session, Session::Create(*model, std::move(session_options)));
  FloatSam reference(weights, flags.threads);
  if (parsed.count("coco") != 0) return CompareOnCoco(parsed, flags, *session, reference);
  Evaluator evaluator(reference, {{session.get(), model.get()}});
  INTSAM_TRY(EvaluatePhotos(parsed, flags, evaluator));
  const Evaluation& e = evaluator.result();
  if (e.point.prompts + e.box.prompts == 0) {
    return Error(Code::kUsage, "--images: nothing to compare: no region of 0.5 to 90 %% of a photo");
  }
  if (flags.json) {
    PrintJson(e, *session);
  } else {
    PrintTable(e, *session);
  }
  double worst = 1;
  for (const KindScore* kind : {&e.point, &e.box}) {
    if (kind->prompts != 0) worst = std::min(worst, kind->mean.agreement);
  }
  if (worst * 100 < static_cast<double>(least)) {
    return Error(Code::kDifference, "mask agreement %.4f is below %d %%", worst, static_cast<int>(least));
  }
  return Status();
}

Status Run(int argc, char** argv) { return RunWithOptions(kHelp, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("intsam-compare", argc, argv, intsam::internal::Run);
}
