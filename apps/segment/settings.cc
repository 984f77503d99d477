// Options of intsam-segment and the rules between them.
#include "apps/segment/settings.h"

#include <algorithm>

#include "apps/common/photo_options.h"
#include "apps/common/picture_writer.h"

namespace intsam::internal {
namespace {

// The values of a repeated option exactly as typed: cxxopts would split them at commas.
std::vector<std::string> Repeated(const cxxopts::ParseResult& parsed, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& argument : parsed.arguments()) {
    if (argument.key() == name) values.push_back(argument.value());
  }
  return values;
}

Status CheckPrompts(const SegmentSettings& s) {
  const bool typed = !s.points.empty() || !s.boxes.empty() || !s.mask_input.empty();
  if (typed && !s.prompts.empty()) {
    return Error(Code::kUsage,
                 "--prompts: does not go with --point, --box and --mask-input; the file can say the same");
  }
  if (s.boxes.size() > 1 && (!s.points.empty() || !s.mask_input.empty())) {
    return Error(Code::kUsage,
                 "--box: several boxes are several objects, and %s goes with one; use --prompts to say more of each",
                 s.points.empty() ? "--mask-input" : "--point");
  }
  if (!s.has_prompt() && (s.writes_masks() || s.save_embedding.empty())) {
    return Error(Code::kUsage, "what to segment is missing: --point, --box, --mask-input or --prompts");
  }
  return Status();
}

Status CheckFiles(const SegmentSettings& s) {
  if (!s.writes_masks() && s.save_embedding.empty() && !s.flags.json) {
    return Error(Code::kUsage,
                 "--output: which file to write is missing (or --overlay, --cutout, --label-map, --logits, "
                 "--save-embedding, --json)");
  }
  if (!s.embedding.empty() && !s.save_embedding.empty()) {
    return Error(Code::kUsage, "--save-embedding: does not go with --embedding, which encodes nothing");
  }
  if (s.image.empty() && !(s.overlay.empty() && s.cutout.empty())) {
    return Error(Code::kUsage, "%s: needs IMAGE, the photo itself", s.overlay.empty() ? "--cutout" : "--overlay");
  }
  const bool streams[] = {s.image == "-", s.prompts == "-", s.embedding == "-"};
  if (std::count(std::begin(streams), std::end(streams), true) > 1) {
    return Error(Code::kUsage, "only one of IMAGE, --prompts and --embedding can be -, standard input");
  }
  INTSAM_TRY(CheckEnding("--output", s.output, {".png"}));
  INTSAM_TRY(CheckEnding("--overlay", s.overlay, {".png", ".jpg", ".jpeg"}));
  INTSAM_TRY(CheckEnding("--cutout", s.cutout, {".png"}));
  INTSAM_TRY(CheckEnding("--label-map", s.label_map, {".png"}));
  return CheckEnding("--logits", s.logits, {".npy"});
}

}  // namespace

const ToolHelp& SegmentHelp() {
  static const std::string kSummary =
      "Segments objects of a photo from points, boxes and masks.\n"
      "Coordinates are pixels of the photo as it is seen, x first, from its top left corner;\n"
      "decimals are allowed.\n"
      "IMAGE: " +
      PhotoHelp() +
      "\nIMAGE is not needed with --embedding.\n"
      "IMAGE and --prompts may be -, standard input, and one output may be -, standard output.";
  static const ToolHelp kHelp = {
      "intsam-segment", kSummary.c_str(), "MODEL IMAGE",
      "intsam-segment sam_tiny.isam photo.jpg --point 120,80 -o mask.png\n"
      "intsam-segment sam_tiny.isam photo.jpg -b 40,30,210,190 -b 5,5,90,70 --overlay overlay.png --json\n"
      "intsam-segment sam_tiny.isam photo.jpg --save-embedding photo.isemb\n"
      "intsam-segment sam_tiny.isam --embedding photo.isemb --prompts prompts.json -o mask.png"};
  return kHelp;
}

cxxopts::Options SegmentOptions() {
  cxxopts::Options options(SegmentHelp().tool);
  const auto text = [] { return cxxopts::value<std::string>(); };
  const auto texts = [] { return cxxopts::value<std::vector<std::string>>(); };
  auto add = options.add_options();
  add("model", "model file (.isam)", text());
  add("image", "photo", text());
  add("p,point", "a point on the object, or off it with label 0; may be repeated, all for one object", texts(),
      "X,Y[,LABEL]");
  add("b,box", "a box around the object; several boxes are several objects", texts(), "X0,Y0,X1,Y1");
  add("mask-input", "a mask of the object: a picture of the photo's size, or a file of --logits", text(), "FILE");
  add("prompts", "JSON file of prompts, for one or several objects (docs/tools.md)", text(), "FILE");
  add("select",
      "which mask of an object: auto (the best alternative for a single point, else 0), best (of the alternatives), or "
      "an index",
      text()->default_value("auto"), "WHICH");
  add("embedding", "an encoded photo, instead of encoding IMAGE again; refused when IMAGE is another one", text(),
      "FILE");
  add("o,output", "mask, 0 and 255 (.png); several objects give OUT_0.png, OUT_1.png, ...", text(), "FILE");
  add("overlay", "photo with masks, prompts and scores drawn on it (.png, .jpg)", text(), "FILE");
  add("cutout", "photo, transparent outside the masks (.png)", text(), "FILE");
  add("label-map", "16 bits per pixel: 0, or 1 more than the object's index, small ones on top (.png)", text(), "FILE");
  add("logits", "low-resolution logits of the mask, for --mask-input (.npy); numbered as --output", text(), "FILE");
  add("save-embedding", "the encoded photo; needs no prompt", text(), "FILE");
  AddTierOption(options);
  AddSandboxOption(options);
  AddOverlaySizeOption(options);
  AddPhotoOptions(options);
  AddCommonOptions(options);
  options.parse_positional({"model", "image"});
  return options;
}

Result<SegmentSettings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  SegmentSettings s;
  s.flags = flags;
  s.model = TextOption(parsed, "model");
  s.image = TextOption(parsed, "image");
  s.points = Repeated(parsed, "point");
  s.boxes = Repeated(parsed, "box");
  s.select = parsed["select"].as<std::string>();
  s.stretch = ReadOptionsOf(parsed).stretch;
  s.isa = TextOption(parsed, "isa");
  s.sandbox = parsed.count("sandbox") != 0;
  const std::pair<const char*, std::string*> files[] = {
      {"prompts", &s.prompts}, {"mask-input", &s.mask_input}, {"output", &s.output},
      {"overlay", &s.overlay}, {"cutout", &s.cutout},         {"label-map", &s.label_map},
      {"logits", &s.logits},   {"embedding", &s.embedding},   {"save-embedding", &s.save_embedding}};
  for (const auto& [option, path] : files) INTSAM_TRY(TakeFile(parsed, option, *path));
  if (s.model.empty()) return UsageError(SegmentHelp(), "MODEL and IMAGE are needed");
  if (s.image.empty() && s.embedding.empty()) return UsageError(SegmentHelp(), "IMAGE is needed, or --embedding FILE");
  INTSAM_ASSIGN(s.overlay_size, OverlaySizeOf(parsed));
  INTSAM_TRY(CheckFiles(s));
  INTSAM_TRY(CheckPrompts(s));
  return s;
}

}  // namespace intsam::internal
