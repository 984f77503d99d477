// Which parts of a model a quantization costs most: each kind of site alone, with the rest in floating point, and
// everything but that kind (docs/accuracy.md, "Which site costs what").
//   sensitivity CHECKPOINT PHOTOS [--bits WIDTHS] [--method NAME] [--enable A,B] [--ablate A,B] [--softmax CODING]
//               [--calib-limit N] [--limit N] [--points N] [--sites TEXT]
//   sensitivity PHOTOS --synthetic SIZE [--image-size N] [--depth N] ...
// Calibrates on the first photos of the folder and measures on those behind them. --sites: single sites whose names
// contain TEXT ("" for all), in place of kinds. --synthetic: random weights; of a ViT, fewer pixels and blocks if
// asked.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cxxopts.hpp>
#include <map>

#include "apps/common/calibration_photos.h"
#include "apps/common/options.h"
#include "apps/common/tool.h"
#include "converter/convert.h"
#include "converter/quantize/sensitivity.h"
#include "tests/bench/opened_model.h"

namespace intsam::internal {
namespace {

constexpr ToolHelp kHelp = {"sensitivity", "ranks the parts of a model by what quantizing them costs.",
                            "CHECKPOINT PHOTOS", "sensitivity models/sam_tiny.safetensors DATA/calib --bits w6a6"};

cxxopts::Options MakeOptions() {
  const auto text = [](const char* value) { return cxxopts::value<std::string>()->default_value(value); };
  const auto list = [] { return cxxopts::value<std::vector<std::string>>(); };
  cxxopts::Options options(kHelp.tool);
  auto add = options.add_options();
  add("arguments", "", list());
  add("bits", "profile", text("w8a8"));
  add("method", "as for intsam-convert", text("intsam"));
  add("softmax", "as for intsam-convert", cxxopts::value<std::string>());
  add("enable", "as for intsam-convert", list());
  add("ablate", "as for intsam-convert", list());
  add("calib-limit", "photos to calibrate on", text("16"));
  add("limit", "photos to measure on", text("4"));
  add("points", "prompts on a photo: a grid of N x N points, and what comes of them", text("2"));
  add("sites", "rank single sites whose names contain this", cxxopts::value<std::string>());
  add("synthetic", "random weights of this size", cxxopts::value<std::string>());
  add("image-size", "of --synthetic; 0: as the size has it", text("0"));
  add("depth", "of --synthetic with a ViT; 0: as the size has it", text("0"));
  options.parse_positional({"arguments"});
  AddCommonOptions(options);
  return options;
}

Result<int> Number(const cxxopts::ParseResult& parsed, const char* option, int64_t lo, int64_t hi) {
  INTSAM_ASSIGN(const int64_t value, ParseInteger(std::string("--") + option, TextOption(parsed, option), lo, hi));
  return static_cast<int>(value);
}

Result<FloatModel> ReadModel(const cxxopts::ParseResult& parsed, const std::vector<std::string>& arguments) {
  if (parsed.count("synthetic") == 0) return LoadFloatModel(arguments.front(), "");
  INTSAM_ASSIGN(SamConfig config, PresetConfig(TextOption(parsed, "synthetic").c_str()));
  INTSAM_ASSIGN(const int size, Number(parsed, "image-size", 0, 1024));
  INTSAM_ASSIGN(const int depth, Number(parsed, "depth", 0, 64));
  if (size != 0) config.image_size = static_cast<uint32_t>(size);
  if (depth != 0 && config.family == kVit) {
    config.vit.depth = static_cast<uint32_t>(depth);
    config.vit.global_attn_mask &= (uint64_t{1} << (depth - 1)) * 2 - 1;
  }
  INTSAM_TRY(ValidateConfig(config));
  return SyntheticModel(config, 1);
}

struct Row {
  std::string name;
  std::vector<std::string> parts;
  Loss alone, without;
};

void Print(const std::vector<Row>& rows, const Loss& all) {
  std::printf(
      "| part | sites | embedding alone | all but it | masks alone | all but it |\n|---|---|---|---|---|---|\n");
  const auto line = [](const char* name, const std::string& sites, const Loss& alone, const Loss& without) {
    std::printf("| %s | %s | %.5f | %.5f | %.2e | %.2e |\n", name, sites.c_str(), std::sqrt(alone.embedding),
                std::sqrt(without.embedding), alone.masks, without.masks);
  };
  for (const Row& row : rows) line(row.name.c_str(), std::to_string(row.parts.size()), row.alone, row.without);
  line("everything", "", all, {});
}

// What the integers themselves add to the codes that are simulated.
Status PrintIntegers(FloatModel& model, PlannedModel& planned, std::span<const CalibrationImage> photos) {
  INTSAM_ASSIGN(const std::unique_ptr<QuantizedModel> quantized,
                QuantizeModel(model, planned.statistics, planned.plan));
  testing::OpenedModel opened;
  INTSAM_TRY(opened.Open(quantized->model, "{}"));
  FloatSam sam(model, 0, WeightLayout::kAsStored);
  double mean_error = 0, least_cosine = 1;
  for (const CalibrationImage& photo : photos) {
    const std::vector<float> expected = sam.EncodeImage(photo.rgb.data(), photo.size.height, photo.size.width);
    INTSAM_TRY(opened.session->SetImage(photo.rgb.data(), photo.size, size_t{photo.size.width} * 3, PixelFormat::kRgb));
    const int16_t* codes = opened.session->embedding().data();
    const double unit = ToReal(quantized->model.mask_decoder.key_unit);
    double dot = 0, square = 0, length = 0, error = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const double x = expected[i], y = codes[i] * unit;
      dot += x * y, square += y * y, length += x * x, error += (x - y) * (x - y);
    }
    mean_error += std::sqrt(error / length) / static_cast<double>(photos.size());
    least_cosine = std::min(least_cosine, dot / std::sqrt(square * length));
  }
  std::printf("\nthe integer model: error of the embedding %.5f, least cosine %.5f\n", mean_error, least_cosine);
  return Status();
}

Status RunParsed(const cxxopts::ParseResult& parsed, const CommonFlags& flags) {
  const auto list = [&](const char* name) {
    return parsed.count(name) != 0 ? parsed[name].as<std::vector<std::string>>() : std::vector<std::string>();
  };
  const std::vector<std::string> arguments = list("arguments");
  if (arguments.size() != (parsed.count("synthetic") != 0 ? 1u : 2u))
    return UsageError(kHelp, "CHECKPOINT (or --synthetic) and PHOTOS are needed");
  ConvertOptions options;
  options.threads = flags.threads;
  INTSAM_ASSIGN(options.bits, ParseBitProfile(TextOption(parsed, "bits")));
  INTSAM_ASSIGN(options.method, MakeMethod(TextOption(parsed, "method"), list("enable"), list("ablate"),
                                           TextOption(parsed, "softmax")));
  INTSAM_ASSIGN(const int calibrate, Number(parsed, "calib-limit", 1, 100000));
  INTSAM_ASSIGN(const int measure, Number(parsed, "limit", 1, 100000));
  INTSAM_ASSIGN(const int points, Number(parsed, "points", 1, 32));
  INTSAM_ASSIGN(FloatModel model, ReadModel(parsed, arguments));
  const auto most = static_cast<size_t>(calibrate + measure);
  INTSAM_ASSIGN(PhotoFolder folder, PhotoFolder::Open("PHOTOS", arguments.back(), {.limit = most, .strict = true}));
  INTSAM_ASSIGN(CalibrationPhotos photos,
                ReadCalibrationPhotos("PHOTOS", std::move(folder), model.config.image_size, {}));
  if (photos.images.size() < most) return Error(Code::kUsage, "PHOTOS: %zu are needed", most);
  const std::vector<CalibrationImage> measured(photos.images.begin() + calibrate, photos.images.end());
  photos.images.resize(static_cast<size_t>(calibrate));

  INTSAM_ASSIGN(PlannedModel planned, PlanConversion(model, photos.images, options, {}));
  std::map<std::string, Row> by_name;
  for (const std::string& part : PartsOf(planned.plan)) {
    if (parsed.count("sites") != 0 && part.find(TextOption(parsed, "sites")) == std::string::npos) continue;
    const std::string name = parsed.count("sites") != 0 ? part : KindOf(part);
    by_name[name].name = name;
    by_name[name].parts.push_back(part);
  }
  Sensitivity sensitivity(model, measured, points, flags.threads);
  const Loss all = sensitivity.Measure(planned.plan, [](const std::string&) { return true; });
  std::vector<Row> rows;
  for (auto& [name, row] : by_name) {
    std::fprintf(stderr, "measuring %s\n", name.c_str());
    const auto inside = [&row = row](const std::string& part) {
      return std::find(row.parts.begin(), row.parts.end(), part) != row.parts.end();
    };
    row.alone = sensitivity.Measure(planned.plan, inside);
    row.without = sensitivity.Measure(planned.plan, [&](const std::string& part) { return !inside(part); });
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.alone.masks > b.alone.masks; });
  Print(rows, all);
  return PrintIntegers(model, planned, measured);
}

Status Run(int argc, char** argv) { return RunWithOptions(kHelp, MakeOptions(), argc, argv, RunParsed); }

}  // namespace
}  // namespace intsam::internal

int main(int argc, char** argv) { return intsam::internal::RunTool("sensitivity", argc, argv, intsam::internal::Run); }
