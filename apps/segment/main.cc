// intsam-segment: prompts on one image, masks out. Written against the public C API alone, as an embedder would.
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/common/file_bytes.h"
#include "apps/common/options.h"
#include "apps/common/output.h"
#include "apps/common/output_files.h"
#include "apps/common/overlay.h"
#include "apps/common/photo/photo_reader.h"
#include "apps/common/png_writer.h"
#include "apps/common/progress.h"
#include "apps/common/prompt_json.h"
#include "apps/common/tool.h"
#include "intsam/intsam.hpp"

namespace intsam::internal {
namespace {

constexpr ToolHelp kHelp = {
    "intsam-segment", "Segments objects of a photo from points and boxes.", "MODEL IMAGE",
    "intsam-segment sam_tiny.isam photo.jpg --point 120,80 -o mask.png\n"
    "intsam-segment sam_tiny.isam photo.jpg --box 40,30,210,190 -o mask.png --overlay overlay.png"};

struct Times {
  double open_ms = 0, encode_ms = 0, decode_ms = 0;
};

// A prompt as the C API takes it.
struct PreparedObject {
  std::vector<intsam_point> points;
  std::optional<intsam_box> box;
  std::vector<int16_t> mask_input;  // empty: none
  int choice = 0;                   // which mask; -1: the best alternative
};

struct ObjectResult {
  int mask_index = 0;
  int iou_q15 = 0;
  uint64_t area = 0;
  std::string file;
  std::vector<uint8_t> mask;
};

class Stopwatch {
 public:
  double LapMs() {
    const auto now = std::chrono::steady_clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - start_).count();
    start_ = now;
    return ms;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Status FromOutcome(const intsam::Outcome& outcome, const std::string& prefix) {
  return outcome ? Status() : Status(static_cast<Code>(outcome.status), prefix + outcome.message);
}

cxxopts::Options MakeOptions() {
  cxxopts::Options options(kHelp.tool);
  options.add_options()("model", "model file (.isam)", cxxopts::value<std::string>())("image", "photo (PNG, JPEG)",
                                                                                      cxxopts::value<std::string>())(
      "p,point", "X,Y[,LABEL] in pixels; label 0: not this. May be repeated; points and box describe one object",
      cxxopts::value<std::vector<std::string>>(),
      "X,Y")("b,box", "X0,Y0,X1,Y1 in pixels", cxxopts::value<std::string>(), "X0,Y0,X1,Y1")(
      "prompts", "JSON file of prompts, for one or several objects", cxxopts::value<std::string>(), "FILE")(
      "o,output", "mask to write (PNG, 0 and 255); several objects give OUT_0.png, OUT_1.png, ...",
      cxxopts::value<std::string>(),
      "FILE")("overlay", "picture of photo, masks and prompts to write (PNG)", cxxopts::value<std::string>(), "FILE")(
      "mask", "which mask: auto (best of the alternatives for a single point, else 0), best, or an index",
      cxxopts::value<std::string>()->default_value("auto"),
      "WHICH")("isa", "kernel tier (default: INTSAM_ISA or the best this CPU supports)", cxxopts::value<std::string>(),
               "TIER")("save-embedding", "write the encoded image to this file", cxxopts::value<std::string>(), "FILE")(
      "embedding", "use an encoded image instead of encoding IMAGE again", cxxopts::value<std::string>(), "FILE");
  options.parse_positional({"model", "image"});
  // cxxopts splits vector values at commas, which our coordinates contain: points are re-joined by ReadPrompt.
  AddCommonOptions(options);
  return options;
}

// The values of a repeated option exactly as typed.
std::vector<std::string> Repeated(const cxxopts::ParseResult& parsed, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& argument : parsed.arguments()) {
    if (argument.key() == name) values.push_back(argument.value());
  }
  return values;
}

Result<std::vector<ObjectPrompt>> GatherPrompts(const cxxopts::ParseResult& parsed, ImageSize size) {
  const bool inline_prompt = parsed.count("point") + parsed.count("box") > 0;
  if (inline_prompt == (parsed.count("prompts") != 0)) {
    return Error(Code::kUsage, "give either --point and --box, or --prompts FILE");
  }
  if (!inline_prompt) return ReadPrompts(parsed["prompts"].as<std::string>(), size);
  ObjectPrompt object;
  for (const std::string& text : Repeated(parsed, "point")) {
    INTSAM_ASSIGN(const PointPrompt point, ParsePoint("--point", text));
    INTSAM_TRY(CheckPoint(point, size, Code::kUsage).WithPrefix("--point " + text));
    object.points.push_back(point);
  }
  if (parsed.count("box") > 1)
    return Error(Code::kUsage, "--box: given more than once; use --prompts for several objects");
  if (parsed.count("box") == 1) {
    const std::string text = parsed["box"].as<std::string>();
    INTSAM_ASSIGN(const BoxPrompt box, ParseBox("--box", text));
    INTSAM_TRY(CheckBox(box, size, Code::kUsage).WithPrefix("--box " + text));
    object.box = box;
  }
  return std::vector<ObjectPrompt>{object};
}

// -1: the best alternative.
Result<int> MaskChoice(const std::string& choice, const ObjectPrompt& object, int num_masks) {
  if (choice == "best") return -1;
  if (choice == "auto")
    return object.points.size() == 1 && !object.box.has_value() && object.mask_path.empty() ? -1 : 0;
  INTSAM_ASSIGN(const int64_t index, ParseInteger("--mask", choice, 0, num_masks - 1));
  return static_cast<int>(index);
}

// A mask prompt file: 8-bit gray, white inside, scaled to low-resolution logits of +-10 (see docs/embedding.md).
Result<std::vector<int16_t>> ReadMaskPrompt(const std::string& path, ImageSize image, const intsam_model_info& info) {
  INTSAM_ASSIGN(const LabelMap map, ReadLabels(path));
  if (map.size != image)
    return Error(Code::kDamaged, "%s: %u x %u pixels, the photo has %u x %u", path.c_str(), map.size.width,
                 map.size.height, image.width, image.height);
  const int64_t ten =
      std::min<int64_t>(32767, ((int64_t{10} << info.logit_shift) + info.logit_mantissa / 2) / info.logit_mantissa);
  const uint32_t side = static_cast<uint32_t>(info.low_res_size);
  const ImageSize resized = ResizedSize(image, static_cast<uint32_t>(info.image_size));
  std::vector<int16_t> logits(size_t{side} * side, static_cast<int16_t>(-ten));
  for (uint32_t y = 0; y < side; ++y) {
    for (uint32_t x = 0; x < side; ++x) {
      // Centre of the low-resolution pixel in the resized photo, then in the original.
      const uint64_t rx = (2 * uint64_t{x} + 1) * static_cast<uint64_t>(info.image_size) / (2 * side);
      const uint64_t ry = (2 * uint64_t{y} + 1) * static_cast<uint64_t>(info.image_size) / (2 * side);
      if (rx >= resized.width || ry >= resized.height) continue;
      if (map.labels[ry * image.height / resized.height * image.width + rx * image.width / resized.width] != 0) {
        logits[size_t{y} * side + x] = static_cast<int16_t>(ten);
      }
    }
  }
  return logits;
}

// Everything that can be wrong with a prompt is found here, before the image is encoded.
Result<PreparedObject> PrepareObject(const ObjectPrompt& object, const std::string& choice,
                                     const intsam_model_info& info, ImageSize size) {
  PreparedObject prepared;
  for (const PointPrompt& p : object.points) prepared.points.push_back({p.x, p.y, p.label});
  if (object.box) prepared.box = intsam_box{object.box->x0, object.box->y0, object.box->x1, object.box->y1};
  if (!object.mask_path.empty()) {
    INTSAM_ASSIGN(prepared.mask_input, ReadMaskPrompt(object.mask_path, size, info));
  }
  INTSAM_ASSIGN(prepared.choice, MaskChoice(choice, object, info.num_masks));
  return prepared;
}

Result<ObjectResult> SegmentObject(const PreparedObject& object, intsam::Session& session) {
  const intsam_prompt prompt = {object.points.data(), object.points.size(), object.box ? &*object.box : nullptr,
                                object.mask_input.empty() ? nullptr : object.mask_input.data()};
  INTSAM_TRY(FromOutcome(session.Predict(prompt), ""));
  ObjectResult result;
  result.mask_index = object.choice < 0 ? session.best_mask(0) : object.choice;
  result.iou_q15 = session.iou(0, result.mask_index);
  INTSAM_TRY(FromOutcome(session.Mask(0, result.mask_index, result.mask), ""));
  for (const uint8_t pixel : result.mask) result.area += pixel;
  return result;
}

std::string NumberedName(const std::string& output, size_t index, size_t count) {
  if (count == 1) return output;
  const size_t dot = output.rfind('.'), slash = output.rfind('/');
  const size_t stem = dot == std::string::npos || (slash != std::string::npos && dot < slash) ? output.size() : dot;
  return output.substr(0, stem) + "_" + std::to_string(index) + output.substr(stem);
}

Status CheckFiles(const cxxopts::ParseResult& parsed, const CommonFlags& flags, size_t objects) {
  std::vector<NamedFile> inputs = {{"MODEL", TextOption(parsed, "model")}, {"IMAGE", TextOption(parsed, "image")}};
  for (const char* option : {"prompts", "embedding"}) {
    if (parsed.count(option) != 0) inputs.push_back({std::string("--") + option, TextOption(parsed, option)});
  }
  std::vector<NamedFile> outputs;
  for (size_t i = 0; i < objects && parsed.count("output") != 0; ++i) {
    outputs.push_back({"--output", NumberedName(TextOption(parsed, "output"), i, objects)});
  }
  for (const char* option : {"overlay", "save-embedding"}) {
    if (parsed.count(option) != 0) outputs.push_back({std::string("--") + option, TextOption(parsed, option)});
  }
  return CheckOutputs(flags, inputs, outputs);
}

Status EncodeOrLoad(const cxxopts::ParseResult& parsed, const Image& photo, intsam::Session& session) {
  if (parsed.count("embedding") != 0) {
    const std::string path = parsed["embedding"].as<std::string>();
    INTSAM_ASSIGN(const std::vector<uint8_t> bytes, ReadFileBytes(path, size_t{1} << 30));
    INTSAM_TRY(FromOutcome(session.LoadEmbedding(bytes), path + ": "));
    int32_t width, height;
    intsam_session_image_size(session.get(), &width, &height);
    if (static_cast<uint32_t>(width) == photo.size.width && static_cast<uint32_t>(height) == photo.size.height)
      return Status();
    return Error(Code::kUsage, "%s: was made from a photo of %d x %d pixels, not %u x %u", path.c_str(), width, height,
                 photo.size.width, photo.size.height);
  }
  const intsam_image image = {photo.rgb.data(), static_cast<int32_t>(photo.size.width),
                              static_cast<int32_t>(photo.size.height), size_t{photo.size.width} * 3, INTSAM_RGB};
  INTSAM_TRY(FromOutcome(session.SetImage(image), ""));
  if (parsed.count("save-embedding") == 0) return Status();
  std::vector<uint8_t> bytes;
  INTSAM_TRY(FromOutcome(session.SaveEmbedding(bytes), ""));
  INTSAM_ASSIGN(OutputFile file, OutputFile::Create(TextOption(parsed, "save-embedding")));
  INTSAM_TRY(file.Write(bytes.data(), bytes.size()));
  return file.Commit();
}

// Thousandths of a Q15 score, rounded; printed without a float so that outputs compare equal across machines.
std::string ScoreText(int q15) {
  const int thousandths = (q15 * 1000 + (1 << 14)) >> 15;
  char text[16];
  std::snprintf(text, sizeof text, "%s%d.%03d", thousandths < 0 ? "-" : "", std::abs(thousandths) / 1000,
                std::abs(thousandths) % 1000);
  return text;
}

void Print(const CommonFlags& flags, const intsam::Session& session, const Times& times,
           const std::vector<ObjectResult>& results) {
  if (flags.json) {
    nlohmann::ordered_json json;
    json["isa"] = intsam_session_isa(session.get());
    json["threads"] = intsam_session_threads(session.get());
    json["open_ms"] = times.open_ms;
    json["encode_ms"] = times.encode_ms;
    json["decode_ms"] = times.decode_ms;
    json["objects"] = nlohmann::ordered_json::array();
    for (const ObjectResult& r : results) {
      json["objects"].push_back(
          {{"mask", r.mask_index}, {"predicted_iou", ScoreText(r.iou_q15)}, {"area", r.area}, {"file", r.file}});
    }
    Out(DumpJson(json));
    return;
  }
  if (flags.quiet) return;
  for (const ObjectResult& r : results) {
    std::printf("mask %d, predicted IoU %s, %llu pixels%s%s\n", r.mask_index, ScoreText(r.iou_q15).c_str(),
                static_cast<unsigned long long>(r.area), r.file.empty() ? "" : " -> ", r.file.c_str());
  }
  std::printf("open %.1f ms, image encoder %.1f ms, mask decoder %.1f ms per object (%s, %d threads)\n", times.open_ms,
              times.encode_ms, times.decode_ms, intsam_session_isa(session.get()),
              intsam_session_threads(session.get()));
}

int32_t ShowStep(void* bar, int32_t step, int32_t total, const char* what) {
  static_cast<Progress*>(bar)->Update(static_cast<uint64_t>(step), static_cast<uint64_t>(total), what);
  return 0;
}

Status Segment(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  const std::string model_path = parsed["model"].as<std::string>();
  Times times;
  Stopwatch watch;
  intsam::Model model;
  INTSAM_TRY(FromOutcome(intsam::Model::Open(model_path, model), ""));
  const intsam_model_info info = model.info();
  Progress bar("encoding", flags.progress);
  intsam_session_options options;
  intsam_session_options_init(&options);
  const std::string isa = TextOption(parsed, "isa");
  options.threads = flags.threads;
  options.isa = isa.empty() ? nullptr : isa.c_str();
  options.progress = ShowStep;
  options.progress_user = &bar;
  intsam::Session session;
  INTSAM_TRY(FromOutcome(intsam::Session::Create(model, &options, session), ""));
  times.open_ms = watch.LapMs();

  INTSAM_ASSIGN(const Image photo, ReadImage(parsed["image"].as<std::string>()));
  INTSAM_ASSIGN(const std::vector<ObjectPrompt> objects, GatherPrompts(parsed, photo.size));
  std::vector<PreparedObject> prepared;
  for (const ObjectPrompt& object : objects) {
    INTSAM_ASSIGN(PreparedObject one, PrepareObject(object, parsed["mask"].as<std::string>(), info, photo.size));
    prepared.push_back(std::move(one));
  }
  INTSAM_TRY(CheckFiles(parsed, flags, objects.size()));
  watch.LapMs();
  INTSAM_TRY(EncodeOrLoad(parsed, photo, session));
  times.encode_ms = watch.LapMs();
  std::vector<ObjectResult> results;
  for (const PreparedObject& object : prepared) {
    INTSAM_ASSIGN(ObjectResult result, SegmentObject(object, session));
    results.push_back(std::move(result));
  }
  times.decode_ms = watch.LapMs() / static_cast<double>(objects.size());

  std::vector<const uint8_t*> masks;
  for (size_t i = 0; i < results.size(); ++i) {
    masks.push_back(results[i].mask.data());
    if (parsed.count("output") == 0) continue;
    results[i].file = NumberedName(parsed["output"].as<std::string>(), i, results.size());
    INTSAM_TRY(WriteMaskPng(results[i].file, results[i].mask.data(), photo.size));
  }
  if (parsed.count("overlay") != 0) {
    const Image overlay = RenderOverlay(photo, masks, objects);
    INTSAM_TRY(WritePng(parsed["overlay"].as<std::string>(), overlay.rgb.data(), overlay.size, 3));
  }
  Print(flags, session, times, results);
  return Status();
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  if (parsed.count("model") == 0 || parsed.count("image") == 0) return UsageError(kHelp, "MODEL and IMAGE are needed");
  if (parsed.count("output") == 0 && parsed.count("overlay") == 0 && parsed.count("save-embedding") == 0 &&
      !flags.json) {
    return Error(Code::kUsage, "--output: which file to write is missing (or --overlay, --save-embedding, --json)");
  }
  if (parsed.count("embedding") != 0 && parsed.count("save-embedding") != 0) {
    return Error(Code::kUsage, "--save-embedding: does not go with --embedding, which encodes nothing");
  }
  return Segment(parsed, flags);
}

Status Run(int argc, char** argv) { return RunWithOptions(kHelp, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) {
  return intsam::internal::RunTool("intsam-segment", argc, argv, intsam::internal::Run);
}
