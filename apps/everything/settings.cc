// Options of intsam-everything and the rules between them.
#include "apps/everything/settings.h"

#include "apps/common/everything_options.h"
#include "apps/common/output_files.h"
#include "apps/common/photo_options.h"
#include "apps/common/picture_writer.h"

namespace intsam::internal {
namespace {

// photos/cat.v2.jpg -> cat.v2, as the original names what it writes.
std::string Stem(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

Result<MaskForm> FormOf(const cxxopts::ParseResult& parsed, const std::string& output) {
  const bool plain_file = IsStream(output) || HasEnding(output, ".json");
  if (parsed.count("rle") == 0)
    return parsed.count("convert-to-rle") != 0 || plain_file ? MaskForm::kCompressedRle : MaskForm::kPngs;
  const std::string form = TextOption(parsed, "rle");
  if (form == "coco") return MaskForm::kCompressedRle;
  if (form == "plain") return MaskForm::kPlainRle;
  return Error(Code::kUsage, "--rle: '%.40s' is neither coco nor plain", form.c_str());
}

}  // namespace

const ToolHelp& EverythingHelp() {
  static const std::string kSummary =
      "Finds all objects of a photo, as the original package's scripts/amg.py does.\n"
      "With -o DIR it writes a folder DIR/NAME of masks (0.png, 1.png, ...) with metadata.csv, where\n"
      "NAME is that of the photo, or with --rle one file DIR/NAME.json; with -o FILE.json that file.\n"
      "IMAGE: " +
      PhotoHelp() + ".\nIMAGE may be -, standard input, and one output may be -, standard output.";
  static const ToolHelp kHelp = {"intsam-everything", kSummary.c_str(), "MODEL IMAGE",
                                 "intsam-everything vit_b.isam photo.jpg -o masks --overlay overlay.png\n"
                                 "intsam-everything vit_b.isam photo.jpg -o masks.json --points-per-side 16\n"
                                 "intsam-everything sam_tiny.isam photo.jpg -o masks --pred-iou-thresh 0.3 \\\n"
                                 "  --stability-score-thresh 0.6 --stability-score-offset 0.25"};
  return kHelp;
}

cxxopts::Options EverythingToolOptions() {
  cxxopts::Options options(EverythingHelp().tool);
  const auto text = [] { return cxxopts::value<std::string>(); };
  auto add = options.add_options();
  add("model", "model file (.isam)", text());
  add("image", "photo", text());
  add("o,output", "folder for the folder of masks, or for the JSON file; or the JSON file (.json)", text(), "DIR|FILE");
  add("convert-to-rle", "masks as run lengths in one JSON file, compressed as COCO's tools do, instead of PNGs");
  add("rle", "the same, also with run lengths as numbers", text()->implicit_value("coco"), "coco|plain");
  add("overwrite", "write into a folder of masks that exists");
  add("overlay", "the photo with all masks drawn on it (.png, .jpg)", text(), "FILE");
  add("label-map", "16 bits per pixel: 0, or 1 more than the mask's index, small ones on top (.png)", text(), "FILE");
  AddTierOption(options);
  AddSandboxOption(options);
  AddEverythingOptions(options);
  AddOverlaySizeOption(options);
  AddPhotoOptions(options);
  AddCommonOptions(options);
  options.parse_positional({"model", "image"});
  return options;
}

Result<EverythingSettings> ReadSettings(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  EverythingSettings s;
  s.flags = flags;
  s.model = TextOption(parsed, "model");
  s.image = TextOption(parsed, "image");
  s.isa = TextOption(parsed, "isa");
  s.stretch = ReadOptionsOf(parsed).stretch;
  s.overwrite = parsed.count("overwrite") != 0;
  s.sandbox = parsed.count("sandbox") != 0;
  INTSAM_TRY(TakeFile(parsed, "output", s.output));
  INTSAM_TRY(TakeFile(parsed, "overlay", s.overlay));
  INTSAM_TRY(TakeFile(parsed, "label-map", s.label_map));
  if (s.model.empty() || s.image.empty()) return UsageError(EverythingHelp(), "MODEL and IMAGE are needed");
  if (s.output.empty() && s.overlay.empty() && s.label_map.empty() && !flags.json) {
    return Error(Code::kUsage, "--output: where to write is missing (or --overlay, --label-map, --json)");
  }
  INTSAM_TRY(CheckEnding("--overlay", s.overlay, {".png", ".jpg", ".jpeg"}));
  INTSAM_TRY(CheckEnding("--label-map", s.label_map, {".png"}));
  INTSAM_ASSIGN(s.form, FormOf(parsed, s.output));
  if (!s.output.empty() && !IsStream(s.output) && !HasEnding(s.output, ".json")) {
    if (IsStream(s.image)) {
      return Error(Code::kUsage, "--output: a photo from standard input has no name for a folder; give a .json file");
    }
    s.output += (s.output.back() == '/' ? "" : "/") + Stem(s.image) + (s.form == MaskForm::kPngs ? "" : ".json");
  }
  INTSAM_ASSIGN(s.overlay_size, OverlaySizeOf(parsed));
  INTSAM_ASSIGN(s.options, EverythingOptionsOf(parsed));
  return s;
}

}  // namespace intsam::internal
